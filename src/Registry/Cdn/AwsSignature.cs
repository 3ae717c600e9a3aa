using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Pipeline.Contracts;

namespace Pipeline.Registry.Cdn;

/// <summary>An AWS access key.</summary>
/// <param name="AccessKey">Its id.</param>
/// <param name="SecretKey">Its secret.</param>
/// <param name="SessionToken">The session token of temporary credentials.</param>
public sealed record AwsCredentials(string AccessKey, Secret SecretKey, Secret? SessionToken = null);

/// <summary>
/// AWS Signature Version 4, for the one call that is signed here. Paths of services other than S3 are encoded once more for the
/// signature; CloudFront's hold nothing that this changes.
/// </summary>
public static class AwsSignature
{
    private const string Algorithm = "AWS4-HMAC-SHA256";
    private const string Unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

    /// <summary>The headers to add to a request so that it is signed: <c>X-Amz-Date</c>, the session token if there is one, and <c>Authorization</c>.</summary>
    /// <param name="credentials">The key.</param>
    /// <param name="region">The region signed for.</param>
    /// <param name="service">The service signed for.</param>
    /// <param name="method">The request's method.</param>
    /// <param name="url">Its URL.</param>
    /// <param name="headers">Its headers that are signed besides the host, names in lower case.</param>
    /// <param name="body">Its body.</param>
    /// <param name="now">The time of sending; AWS takes it for five minutes.</param>
    public static IReadOnlyList<(string Name, string Value)> Headers(
        AwsCredentials credentials, string region, string service, string method, Uri url, IEnumerable<(string Name, string Value)> headers, ReadOnlySpan<byte> body, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(credentials);
        ArgumentNullException.ThrowIfNull(url);
        var time = now.UtcDateTime.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);
        var scope = $"{time[..8]}/{region}/{service}/aws4_request";
        var added = new List<(string Name, string Value)> { ("X-Amz-Date", time) };
        if (credentials.SessionToken is { } token) added.Add(("X-Amz-Security-Token", token.Reveal()));

        var signed = headers.Concat(added).Append(("host", url.Authority))
            .Select(static header => (Name: header.Item1.ToLowerInvariant(), Value: Squeezed(header.Item2)))
            .OrderBy(static header => header.Name, StringComparer.Ordinal).ToList();
        var names = string.Join(';', signed.Select(static header => header.Name));
        var canonical = string.Join(
            '\n',
            [method, Encoded(Uri.UnescapeDataString(url.AbsolutePath), keepSlash: true), Query(url), .. signed.Select(static header => $"{header.Name}:{header.Value}"), "", names, Hex(SHA256.HashData(body))]);
        var toSign = $"{Algorithm}\n{time}\n{scope}\n{Hex(SHA256.HashData(Encoding.UTF8.GetBytes(canonical)))}";
        added.Add(("Authorization", $"{Algorithm} Credential={credentials.AccessKey}/{scope}, SignedHeaders={names}, Signature={Hex(HMACSHA256.HashData(Key(credentials.SecretKey, time[..8], region, service), Encoding.UTF8.GetBytes(toSign)))}"));
        return added;
    }

    private static byte[] Key(Secret secret, string day, string region, string service)
    {
        var key = Encoding.UTF8.GetBytes("AWS4" + secret.Reveal());
        foreach (var part in new[] { day, region, service, "aws4_request" }) key = HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(part));
        return key;
    }

    private static string Query(Uri url)
    {
        var pairs = url.Query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries)
            .Select(static pair => pair.Split('=', 2))
            .Select(static pair => (Name: Encoded(Uri.UnescapeDataString(pair[0]), false), Value: Encoded(Uri.UnescapeDataString(pair.ElementAtOrDefault(1) ?? ""), false)));
        return string.Join('&', pairs.OrderBy(static pair => pair.Name, StringComparer.Ordinal).ThenBy(static pair => pair.Value, StringComparer.Ordinal).Select(static pair => $"{pair.Name}={pair.Value}"));
    }

    private static string Encoded(string text, bool keepSlash)
    {
        var encoded = new StringBuilder(text.Length);
        foreach (var one in Encoding.UTF8.GetBytes(text))
        {
            if (Unreserved.Contains((char)one, StringComparison.Ordinal) || (keepSlash && one == '/')) encoded.Append((char)one);
            else encoded.Append('%').Append(one.ToString("X2", CultureInfo.InvariantCulture));
        }

        return encoded.ToString();
    }

    /// <summary>A header's value with outer blanks gone and inner runs made one.</summary>
    private static string Squeezed(string value) => string.Join(' ', value.Split(' ', StringSplitOptions.RemoveEmptyEntries));

    private static string Hex(byte[] bytes) => Convert.ToHexStringLower(bytes);
}
