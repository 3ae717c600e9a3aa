using Pipeline.Registry.Cdn;

namespace Pipeline.Workers.Cdn;

/// <summary>When to try again. Nothing is ever given up: a purge that is forgotten shows old content until it expires by itself.</summary>
public static class PurgeBackoff
{
    private const double LongestSeconds = 600;
    private const double LongestBusySeconds = 900;

    /// <summary>The wait after a failure.</summary>
    /// <param name="attempts">How often in a row it has failed, this time included.</param>
    /// <param name="verdict">What the target said; a wait it asks for is the first one (CloudFront: 30 s doubling to 15 min, crates-io-behaviour §4.6).</param>
    /// <param name="random">0 to 1: what failed together must not come back together.</param>
    public static TimeSpan Next(long attempts, PurgeVerdict verdict, double random)
    {
        ArgumentNullException.ThrowIfNull(verdict);
        var first = verdict.Wait?.TotalSeconds ?? (verdict.Result is PurgeResult.Refused or PurgeResult.Unfit ? 30 : 1);
        var longest = verdict.Wait is null ? LongestSeconds : LongestBusySeconds;
        var seconds = Math.Min(longest, first * Math.Pow(2, Math.Clamp(attempts - 1, 0, 20)));
        // Never sooner than asked.
        return TimeSpan.FromSeconds(verdict.Wait is null ? seconds * (0.75 + (random / 2)) : seconds * (1 + (random / 4)));
    }
}
