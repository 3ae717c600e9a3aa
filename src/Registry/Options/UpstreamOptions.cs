namespace Pipeline.Registry.Options;

/// <summary>How upstreams are followed. Section <c>Upstreams</c>.</summary>
public sealed record UpstreamOptions
{
    /// <summary>How many files of a sparse index are asked for side by side.</summary>
    public int SparseParallel { get; init; } = 16;

    /// <summary>How long one file of a sparse index may take in all, in seconds.</summary>
    public double SparseSeconds { get; init; } = 30;
}
