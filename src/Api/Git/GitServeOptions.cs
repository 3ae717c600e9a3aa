using System.ComponentModel.DataAnnotations;

namespace Pipeline.Api.Git;

/// <summary>Bounds on serving the git index. Section <c>GitServe</c>.</summary>
public sealed record GitServeOptions
{
    /// <summary>How many fetches run side by side; a full clone takes about 100 MB of git's memory.</summary>
    [Range(1, 1024)]
    public int Parallel { get; init; } = 16;

    /// <summary>How many more wait for their turn; beyond them the answer is 503.</summary>
    [Range(0, 100_000)]
    public int Waiting { get; init; } = 64;

    /// <summary>The most seconds that a fetch waits for its turn.</summary>
    [Range(0.0, 3600.0)]
    public double WaitSeconds { get; init; } = 30;

    /// <summary>The most bytes of a request, unpacked. A fetch names the commits it has; the longest history fits.</summary>
    [Range(1L, 1L << 30)]
    public long MaxRequestBytes { get; init; } = 32 << 20;

    /// <summary>The most seconds that a fetch may make no progress.</summary>
    [Range(0.1, 86_400.0)]
    public double IdleSeconds { get; init; } = 60;

    /// <summary>The most seconds that a fetch may take.</summary>
    [Range(0.1, 86_400.0)]
    public double TotalSeconds { get; init; } = 1800;
}
