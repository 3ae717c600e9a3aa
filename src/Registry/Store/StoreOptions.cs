using System.ComponentModel.DataAnnotations;

namespace Pipeline.Registry.Store;

/// <summary>Where the objects are. Section <c>Store</c>.</summary>
public sealed record StoreOptions
{
    private const double FreshSecondsOverNetwork = 0.5;

    /// <summary>An S3 server; null: the data folder.</summary>
    public S3Options? S3 { get; init; }

    /// <summary>
    /// For how many seconds an index file is served from memory before the store is asked whether it is still the same. Null: half a
    /// second where asking is a round trip, else not at all.
    /// </summary>
    [Range(0.0, 3600.0)]
    public double? FreshSeconds { get; init; }

    /// <summary>The time of <see cref="FreshSeconds"/>.</summary>
    public TimeSpan Freshness => TimeSpan.FromSeconds(FreshSeconds ?? (S3 is null ? 0 : FreshSecondsOverNetwork));
}
