using System.ComponentModel.DataAnnotations;

namespace Pipeline.Registry.Options;

/// <summary>Which workers a process runs and how much waits in memory for each. Section <c>Workers</c>.</summary>
public sealed record WorkerOptions
{
    /// <summary>The queues this process serves; empty: all of them.</summary>
    public IReadOnlyList<string> Only { get; init; } = [];

    /// <summary>Whether this process runs workers at all.</summary>
    public bool Enabled { get; init; } = true;

    /// <summary>How many bells wait in memory per stage; more are dropped and claimed by the sweep.</summary>
    [Range(1, 1_000_000)]
    public int QueueCapacity { get; init; } = 1000;

    /// <summary>How many batches of archives are checked side by side.</summary>
    [Range(1, 1024)]
    public int TarballConcurrency { get; init; } = 4;

    /// <summary>How many batches of manifests are decided side by side.</summary>
    [Range(1, 1024)]
    public int ManifestConcurrency { get; init; } = 4;

    /// <summary>How many sparse files are rendered side by side.</summary>
    [Range(1, 1024)]
    public int SparseConcurrency { get; init; } = 16;

    /// <summary>How many messages this process takes from a broker's queue at a time, by queue; else <see cref="DefaultPrefetch"/>.</summary>
    public IReadOnlyDictionary<string, int> Prefetch { get; init; } = new Dictionary<string, int>();

    /// <summary>How many messages this process takes from a broker's queue at a time.</summary>
    [Range(1, 65535)]
    public int DefaultPrefetch { get; init; } = 32;

    /// <summary>Seconds between two sweeps.</summary>
    [Range(0.01, 86_400.0)]
    public double SweepSeconds { get; init; } = 10;

    /// <summary>A row rung this many seconds ago and still waiting is rung again.</summary>
    public double RingAgainSeconds { get; init; } = 30;

    /// <summary>How many messages this process takes from a queue at a time.</summary>
    public int PrefetchOf(string queue) => Prefetch.TryGetValue(queue, out var prefetch) ? prefetch : DefaultPrefetch;

    /// <summary>Whether this process serves a queue.</summary>
    public bool Serves(string queue) => Enabled && (Only.Count == 0 || Only.Contains(queue, StringComparer.Ordinal));
}
