namespace Pipeline.Registry.Identity;

/// <summary>A token bucket (crates-io-behaviour §1.7): values in, values out.</summary>
/// <param name="Tokens">Attempts left; an attempt is allowed when, after its own take, at least one is.</param>
/// <param name="LastRefill">Up to when it was refilled, in microseconds; 0: it was never used.</param>
public readonly record struct TokenBucket(long Tokens, long LastRefill)
{
    /// <summary>Whether the attempt that led to this state is allowed.</summary>
    public bool IsAllowed => Tokens >= 1;

    /// <summary>The state after one more attempt.</summary>
    /// <param name="interval">Microseconds until one more attempt is allowed.</param>
    /// <param name="burst">Attempts allowed at once.</param>
    /// <param name="now">The database's time.</param>
    public TokenBucket Take(long interval, long burst, long now)
    {
        if (LastRefill == 0) return new TokenBucket(burst, now);
        var added = Math.Max(0, (now - LastRefill) / interval);
        return new TokenBucket(Math.Min(burst, Math.Max(0, Tokens - 1) + added), LastRefill + (added * interval));
    }
}
