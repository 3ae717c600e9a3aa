using Pipeline.Bench.Measuring;
using Pipeline.Registry.Database;

namespace Pipeline.Bench.Publishing;

/// <summary>Everything in one process, on a fresh data folder; its database a file, or a PostgreSQL of its own.</summary>
internal sealed class StandaloneServer : IServer
{
    private readonly string _command;
    private readonly string _folder = RepositoryRoot.NewFolder("publish");
    private readonly ServerProcess _process;
    private readonly PrivatePostgres? _postgres;

    /// <summary>Starts it and returns once it serves.</summary>
    /// <param name="command">The <c>pipeline</c> command of another build, to compare with; null: the one of these sources.</param>
    /// <param name="onPostgres">Whether its database is PostgreSQL.</param>
    public StandaloneServer(string? command, bool onPostgres = false)
    {
        if (onPostgres) _postgres = new PrivatePostgres();
        _command = command ?? Path.Combine(RepositoryRoot.Path, "ops", "pipeline");
        Port = ServerProcess.FreePort();
        if (onPostgres) ServerProcess.Run(_command, Environment, "migrate");
        _process = ServerProcess.Start(_command, Path.Combine(_folder, "log"), Environment, "up", "--port", ServerProcess.Text(Port), "--no-rate-limits");
    }

    /// <inheritdoc/>
    public int Port { get; }

    /// <inheritdoc/>
    public IReadOnlyList<int> MetricsPorts => [Port];

    /// <inheritdoc/>
    public string GitIndex => Path.Combine(Data, "index.git");

    /// <summary>The folder of its objects.</summary>
    public string Objects => Path.Combine(Data, "objects");

    private string Data => Path.Combine(_folder, "data");

    private Dictionary<string, string> Environment =>
        _postgres is null ? new() { ["PIPELINE_DATA"] = Data } : new() { ["PIPELINE_DATA"] = Data, [PrivatePostgres.Variable] = _postgres.ConnectionString };

    /// <inheritdoc/>
    public (IDatabase Database, IAsyncDisposable Connection) OpenDatabase()
    {
        if (_postgres is not null)
        {
            var postgres = _postgres.Open();
            return (postgres, postgres);
        }

        var database = new SqliteDatabase(Path.Combine(Data, "registry.sqlite"), TimeProvider.System, readers: 1);
        return (database, database);
    }

    /// <inheritdoc/>
    public string NewToken(string login) => ServerProcess.NewToken(_command, Environment, login);

    /// <inheritdoc/>
    public double CpuSeconds() => _process.Cpu.Seconds();

    /// <inheritdoc/>
    public IReadOnlyList<(string Name, double Seconds)> ServicesCpu() => _postgres is null ? [] : [("PostgreSQL", _postgres.Cpu.Seconds())];

    /// <inheritdoc/>
    public (double Now, double Peak) Memory() => _process.Cpu.Memory();

    /// <inheritdoc/>
    public void Dispose()
    {
        _process.Dispose();
        _postgres?.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
