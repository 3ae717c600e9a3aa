using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Pipeline.Registry.Changes;

namespace Pipeline.Workers.Notices;

/// <summary>What a notice looks like and when it is tried again: values in, values out.</summary>
public static class NoticeRules
{
    private const double LongestWaitSeconds = 600;

    /// <summary>The id of a notice: the same for every delivery of one change to one webhook, and for no other, in any epoch.</summary>
    public static string Id(string epoch, long webhook, long change)
    {
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{epoch}/{webhook}/{change}")));
        return $"msg_{Convert.ToHexStringLower(hash.AsSpan(0, 16))}";
    }

    /// <summary>
    /// The signature of a notice as the Standard Webhooks specification has it: <c>v1,</c> and the base64 of HMAC-SHA256, under the secret's key,
    /// over id, timestamp and body with dots between. The timestamp is signed, so that a receiver can refuse what is replayed to it later.
    /// </summary>
    /// <param name="key">The key (<see cref="WebhookRules.Key"/>).</param>
    /// <param name="id">The notice's id, as in <c>webhook-id</c>.</param>
    /// <param name="timestamp">Seconds since 1970, as in <c>webhook-timestamp</c>.</param>
    /// <param name="body">The body's bytes.</param>
    public static string Sign(byte[] key, string id, long timestamp, ReadOnlySpan<byte> body)
    {
        using var hash = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, key);
        hash.AppendData(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{id}.{timestamp}.")));
        hash.AppendData(body);
        return $"v1,{Convert.ToBase64String(hash.GetHashAndReset())}";
    }

    /// <summary>The wait after a failed delivery.</summary>
    /// <param name="failing">How many have failed since the last that succeeded, this one included.</param>
    /// <param name="firstSeconds">The first wait; it doubles up to ten minutes.</param>
    /// <param name="random">0 to 1: what failed together must not come back together.</param>
    public static TimeSpan Wait(long failing, double firstSeconds, double random) =>
        TimeSpan.FromSeconds(Math.Min(LongestWaitSeconds, firstSeconds * Math.Pow(2, Math.Clamp(failing - 1, 0, 20))) * (0.75 + (random / 2)));
}
