using Pipeline.Bench.Measuring;
using Pipeline.Registry.Database;

namespace Pipeline.Bench.Publishing;

/// <summary>Everything in one process, on a fresh data folder.</summary>
internal sealed class StandaloneServer : IServer
{
    private readonly string _command;
    private readonly string _folder = RepositoryRoot.NewFolder("publish");
    private readonly ServerProcess _process;

    /// <summary>Starts it and returns once it serves.</summary>
    /// <param name="command">The <c>pipeline</c> command of another build, to compare with; null: the one of these sources.</param>
    public StandaloneServer(string? command)
    {
        _command = command ?? Path.Combine(RepositoryRoot.Path, "ops", "pipeline");
        Port = ServerProcess.FreePort();
        _process = ServerProcess.Start(_command, Path.Combine(_folder, "log"), Environment, "up", "--port", ServerProcess.Text(Port), "--no-rate-limits");
    }

    /// <inheritdoc/>
    public int Port { get; }

    /// <inheritdoc/>
    public string GitIndex => Path.Combine(Data, "index.git");

    /// <summary>The folder of its objects.</summary>
    public string Objects => Path.Combine(Data, "objects");

    private string Data => Path.Combine(_folder, "data");

    private Dictionary<string, string> Environment => new() { ["PIPELINE_DATA"] = Data };

    /// <inheritdoc/>
    public (IDatabase Database, IAsyncDisposable Connection) OpenDatabase()
    {
        var database = new SqliteDatabase(Path.Combine(Data, "registry.sqlite"), TimeProvider.System, readers: 1);
        return (database, database);
    }

    /// <inheritdoc/>
    public string NewToken(string login) => ServerProcess.NewToken(_command, Environment, login);

    /// <inheritdoc/>
    public double CpuSeconds() => _process.Cpu.Seconds();

    /// <inheritdoc/>
    public IReadOnlyList<(string Name, double Seconds)> ServicesCpu() => [];

    /// <inheritdoc/>
    public (double Now, double Peak) Memory() => _process.Cpu.Memory();

    /// <inheritdoc/>
    public void Dispose()
    {
        _process.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
