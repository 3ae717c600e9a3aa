using System.Globalization;

namespace Pipeline.Workers.Fetching;

/// <summary>What an upstream's answer means for the file that was asked for.</summary>
/// <param name="Next">Ask there; null: no redirect.</param>
/// <param name="Trouble">It cannot be had; null: take the body.</param>
public readonly record struct FetchStep(Uri? Next, FileTrouble? Trouble);

/// <summary>Decides about fetches: values in, decision out.</summary>
public static class FetchRules
{
    /// <summary>The most redirects that are followed for one file.</summary>
    public const int MostRedirects = 5;

    private const double FirstSeconds = 5;
    private const double LongestSeconds = 3600;

    // So many failures in a row are an upstream's, not a file's.
    private const int FewFailures = 8;
    private const double LongestHoldSeconds = 600;

    /// <summary>Judges the head of an answer.</summary>
    /// <param name="status">Its status.</param>
    /// <param name="location">Its <c>Location</c>.</param>
    /// <param name="asked">The URL that was asked.</param>
    /// <param name="redirects">How many were followed before.</param>
    /// <param name="length">Its <c>Content-Length</c>; null: it has none.</param>
    /// <param name="mostBytes">The most bytes of a file.</param>
    public static FetchStep Judge(int status, string? location, Uri asked, int redirects, long? length, long mostBytes)
    {
        ArgumentNullException.ThrowIfNull(asked);
        if (status is 301 or 302 or 303 or 307 or 308) return Follow(location, asked, redirects);
        if (status == 200) return length > mostBytes ? new(null, TooLarge(mostBytes)) : default;
        var text = string.Create(CultureInfo.InvariantCulture, $"the upstream answered with status {status}");
        // A file that is not there, or not for us, will not be there in a minute; all else may pass.
        return new(null, new FileTrouble("upstream-status", text, IsFinal: status is >= 400 and < 500 and not (408 or 421 or 425 or 429)));
    }

    /// <summary>The file is larger than a file may be.</summary>
    public static FileTrouble TooLarge(long mostBytes) =>
        new("file-too-large", string.Create(CultureInfo.InvariantCulture, $"the file has more than {mostBytes} bytes (Mirror:MaxFileBytes)"), IsFinal: true);

    /// <summary>Holds what came against the index line; null: these are the bytes.</summary>
    public static FileTrouble? CheckBytes(string expected, string actual, long length) => expected == actual ? null : new(
        "wrong-checksum", string.Create(CultureInfo.InvariantCulture, $"the {length} bytes that came have the checksum {actual}, the index names {expected}"), IsFinal: true);

    /// <summary>The wait before a file is tried again.</summary>
    /// <param name="attempts">How often in a row it has failed, this time included.</param>
    /// <param name="random">0 to 1: what failed together must not come back together.</param>
    public static TimeSpan Wait(long attempts, double random) =>
        TimeSpan.FromSeconds(Math.Min(LongestSeconds, FirstSeconds * Math.Pow(2, Math.Clamp(attempts - 1, 0, 20))) * (0.75 + (random / 2)));

    /// <summary>How long an upstream is left alone: so that its outage is not tried with one file after another.</summary>
    /// <param name="failures">How many fetches in a row have failed for now.</param>
    public static TimeSpan Hold(int failures) =>
        failures < FewFailures ? TimeSpan.Zero : TimeSpan.FromSeconds(Math.Min(LongestHoldSeconds, FirstSeconds * Math.Pow(2, Math.Min(failures - FewFailures, 20))));

    private static FetchStep Follow(string? location, Uri asked, int redirects)
    {
        if (redirects == MostRedirects) return new(null, new FileTrouble("too-many-redirects", $"more than {MostRedirects} redirects", IsFinal: true));
        // As browsers do: a relative one is of the URL that was asked.
        if (location is null || location.Length > 8192 || !Uri.TryCreate(asked, location, out var next)) return Odd("nowhere");
        if (next.Scheme is not ("http" or "https")) return Odd($"to a {next.Scheme} URL");
        return next.UserInfo.Length > 0 ? Odd("to a URL with a user in it") : new(next, null);
    }

    private static FetchStep Odd(string where) => new(null, new FileTrouble("odd-redirect", $"the upstream redirects {where}", IsFinal: true));
}
