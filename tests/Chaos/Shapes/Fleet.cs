using Pipeline.Registry.Database;
using Pipeline.Registry.Faults;
using Pipeline.Registry.Store;
using Pipeline.Tests.Serving;

namespace Pipeline.Tests.Chaos.Shapes;

/// <summary>A whole registry in processes of its own. <see cref="Standalone"/> and <see cref="Distributed"/> put one together.</summary>
internal sealed class Fleet(string shape, string? plant) : RunningPipeline
{
    // Outages are short here, and so is patience.
    private static readonly (string Name, string Value)[] Common =
    [
        ("PIPELINE__RateLimits__Enabled", "false"), ("PIPELINE__Logging__LogLevel__Default", "Warning"), ("DOTNET_TieredPGO", "0"),
        ("PIPELINE__Workers__SweepSeconds", "2"), ("PIPELINE__Workers__RingAgainSeconds", "5"),
        ("PIPELINE__Publish__HoldSeconds", "4"), ("PIPELINE__Publish__TailSeconds", "6"), ("PIPELINE__Publish__BlankSeconds", "2"),
        ("PIPELINE__Schedules__CleanStagingSeconds", "5"), ("PIPELINE__GitIndex__LeaseSeconds", "5"),
        ("PIPELINE__Cdn__IndexSeconds", "3600"), ("PIPELINE__Cdn__Targets__0__TimeoutSeconds", "2"),
    ];

    private readonly Stack<IAsyncDisposable> _parts = [];

    /// <summary>The shape's name.</summary>
    public string Shape => shape;

    /// <summary>The registry's processes.</summary>
    public List<RoleProcess> Processes { get; } = [];

    /// <summary>What they say.</summary>
    public Journal Journal { get; } = new();

    /// <summary>Where the cache in front serves.</summary>
    public Uri Edge { get; set; } = null!;

    /// <summary>Where the git index is cloned from.</summary>
    public string GitUrl { get; set; } = null!;

    /// <summary>Opens the registry's database beside its processes.</summary>
    public Func<IDatabase> OpenDatabase { get; set; } = null!;

    /// <summary>Opens the registry's object store beside its processes.</summary>
    public Func<IObjectStore> OpenStore { get; set; } = null!;

    /// <summary>What every process is told, whatever the shape.</summary>
    public IEnumerable<(string Name, string Value)> Environment =>
        plant is null ? [("PIPELINE_DATA", Data), .. Common] : [("PIPELINE_DATA", Data), .. Common, (PlantedBugs.Variable, plant)];

    /// <summary>A part that ends with the fleet, the last one first.</summary>
    public T Own<T>(T part)
        where T : IAsyncDisposable
    {
        _parts.Push(part);
        return part;
    }

    /// <summary>Any port that nothing listens on.</summary>
    public static int AnyPort() => FreePort();

    /// <summary>To be called when it serves.</summary>
    public void Opens() => Serves();

    /// <inheritdoc/>
    // What must hold at the end is for the laws to say, not for the disposal.
    protected override bool IsRunning => false;

    /// <inheritdoc/>
    protected override async Task StopAsync()
    {
        foreach (var process in Processes) await process.DisposeAsync();
        while (_parts.TryPop(out var part)) await part.DisposeAsync();
    }
}
