using System.ComponentModel.DataAnnotations;

namespace Pipeline.Registry.Options;

/// <summary>How upstreams are followed. Section <c>Upstreams</c>.</summary>
public sealed record UpstreamOptions
{
    /// <summary>How many files of a sparse index are asked for side by side.</summary>
    [Range(1, 1024)]
    public int SparseParallel { get; init; } = 16;

    /// <summary>How long one file of a sparse index may take in all, in seconds.</summary>
    [Range(0.1, 86_400.0)]
    public double SparseSeconds { get; init; } = 30;

    /// <summary>After so many failed syncs in a row an incident begins. A fault, which is not tried again by itself, begins one at once.</summary>
    [Range(1, 1_000_000)]
    public int NoticeAfterFailures { get; init; } = 3;

    /// <summary>An upstream whose last good sync is longer ago, in seconds, is stale; no sooner than after three of its intervals.</summary>
    public double StaleSeconds { get; init; } = 1800;
}
