namespace Pipeline.Registry.Options;

/// <summary>Rate limits per user (crates-io-behaviour §1.7). Section <c>RateLimits</c>.</summary>
public sealed record RateLimitOptions
{
    /// <summary>Whether they are on.</summary>
    public bool Enabled { get; init; } = true;

    /// <summary>Publishing a crate that does not exist yet.</summary>
    public RateLimit PublishNew { get; init; } = new(600, 5);

    /// <summary>Publishing a version of a crate that exists.</summary>
    public RateLimit PublishUpdate { get; init; } = new(60, 30);

    /// <summary>Yank and unyank.</summary>
    public RateLimit Yank { get; init; } = new(60, 100);
}

/// <summary>One token bucket.</summary>
/// <param name="RefillSeconds">Seconds until one more attempt is allowed.</param>
/// <param name="Burst">Attempts allowed at once.</param>
public sealed record RateLimit(double RefillSeconds, long Burst);
