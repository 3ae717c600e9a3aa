namespace Pipeline.Cli.Hosting;

/// <summary>Where the server listens, and what the command line says over the configuration.</summary>
public sealed record HostSettings
{
    /// <summary>Which parts it runs.</summary>
    public HostRole Role { get; init; }

    /// <summary>The port to serve; 0: any free one.</summary>
    public int Port { get; init; } = 7878;

    /// <summary>The address to listen on.</summary>
    public string Listen { get; init; } = "127.0.0.1";

    /// <summary>Further configuration, by key, over files and environment: <c>Publish:HoldSeconds</c>.</summary>
    public IReadOnlyDictionary<string, string?> Overrides { get; init; } = new Dictionary<string, string?>();

    /// <summary>Called once when it serves, with its URL; a worker has none and gives the queues it serves.</summary>
    public Action<string>? Ready { get; init; }
}
