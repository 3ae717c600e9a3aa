using Pipeline.Registry.Database;

namespace Pipeline.Bench.Publishing;

/// <summary>A registry under load, in either shape.</summary>
internal interface IServer : IDisposable
{
    /// <summary>The port that takes publishes.</summary>
    int Port { get; }

    /// <summary>The ports of its processes that serve metrics.</summary>
    IReadOnlyList<int> MetricsPorts { get; }

    /// <summary>Its git index.</summary>
    string GitIndex { get; }

    /// <summary>Connects to its database, beside its own processes: a question over HTTP would cost them.</summary>
    (IDatabase Database, IAsyncDisposable Connection) OpenDatabase();

    /// <summary>Makes a user and returns a token of it.</summary>
    string NewToken(string login);

    /// <summary>The CPU seconds of its processes so far.</summary>
    double CpuSeconds();

    /// <summary>The CPU seconds of each service under it so far.</summary>
    IReadOnlyList<(string Name, double Seconds)> ServicesCpu();

    /// <summary>The resident memory of its processes in MiB, and its peak.</summary>
    (double Now, double Peak) Memory();
}
