namespace Pipeline.Cli.Hosting;

/// <summary>Which parts a process runs.</summary>
public enum HostRole
{
    /// <summary>All of them.</summary>
    Everything,

    /// <summary>The HTTP surface alone.</summary>
    Api,

    /// <summary>Workers alone, those of <c>Workers:Only</c>.</summary>
    Worker,
}
