using System.Globalization;
using Pipeline.Bench.Measuring;
using Pipeline.Contracts;
using Pipeline.Registry.Database;

namespace Pipeline.Bench.Publishing;

/// <summary>One API process and one worker process over private instances of the real services, which sync what they answer for.</summary>
internal sealed class DistributedServer : IServer
{
    // The processes that serve, by the files their ids stand in.
    private static readonly (string Name, string File)[] ServiceIds =
        [("PostgreSQL", "postgres/data/postmaster.pid"), ("RabbitMQ", "rabbitmq/node.pid"), ("S3 gateway", "s3/gateway.pid"), ("S3 disk", "s3/osd.pid"), ("S3 monitor", "s3/monitor.pid")];

    private readonly string _command;
    private readonly string _folder = RepositoryRoot.NewFolder("publish");
    private readonly Dictionary<string, string> _environment;
    private readonly ServerProcess _api;
    private readonly ServerProcess _worker;
    private readonly List<(string Name, ProcessCpu Cpu)> _services;

    /// <summary>Starts the services and the processes, and returns once they serve.</summary>
    /// <param name="command">The <c>pipeline</c> command of another build, to compare with; null: the one of these sources.</param>
    public DistributedServer(string? command)
    {
        _command = command ?? Path.Combine(RepositoryRoot.Path, "ops", "pipeline");
        Port = ServerProcess.FreePort();
        var exports = Services("start", "--durable", "postgres", "rabbitmq", "s3");
        _environment = exports.Split(['\n', ' '], StringSplitOptions.RemoveEmptyEntries)
            .Where(static word => word.Contains('=', StringComparison.Ordinal))
            .Select(static word => word.Split('=', 2))
            .ToDictionary(static pair => pair[0], static pair => pair[1].Trim('\''));
        _environment["PIPELINE_DATA"] = Path.Combine(_folder, "data");
        _environment["PIPELINE_URL"] = _environment["PIPELINE__Registry__PublicUrl"] = $"http://127.0.0.1:{Port}";
        ServerProcess.Run(_command, _environment, "migrate");
        _api = ServerProcess.Start(_command, Path.Combine(_folder, "api.log"), _environment, "api", "--port", ServerProcess.Text(Port), "--no-rate-limits");
        var metrics = ServerProcess.FreePort();
        _worker = ServerProcess.Start(
            _command, Path.Combine(_folder, "worker.log"), new Dictionary<string, string>(_environment) { ["PIPELINE__Telemetry__MetricsPort"] = ServerProcess.Text(metrics) }, "worker");
        MetricsPorts = [Port, metrics];
        _services = [.. ServiceIds.Select(service => (service.Name, new ProcessCpu(int.Parse(File.ReadLines(Path.Combine(_folder, "services", service.File)).First(), CultureInfo.InvariantCulture))))];
    }

    /// <inheritdoc/>
    public int Port { get; }

    /// <inheritdoc/>
    public IReadOnlyList<int> MetricsPorts { get; }

    /// <inheritdoc/>
    public string GitIndex => Path.Combine(_environment["PIPELINE_DATA"], "index.git");

    /// <inheritdoc/>
    public (IDatabase Database, IAsyncDisposable Connection) OpenDatabase()
    {
        var database = new PostgresDatabase(new DatabaseOptions { Postgres = new Secret(_environment["PIPELINE__Database__Postgres"]), MaxConnections = 1 });
        return (database, database);
    }

    /// <inheritdoc/>
    public string NewToken(string login) => ServerProcess.NewToken(_command, _environment, login);

    /// <inheritdoc/>
    public double CpuSeconds() => _api.Cpu.Seconds() + _worker.Cpu.Seconds();

    /// <inheritdoc/>
    public IReadOnlyList<(string Name, double Seconds)> ServicesCpu() => _services.ConvertAll(static service => (service.Name, service.Cpu.Seconds()));

    /// <inheritdoc/>
    public (double Now, double Peak) Memory()
    {
        var (api, worker) = (_api.Cpu.Memory(), _worker.Cpu.Memory());
        return (api.Now + worker.Now, api.Peak + worker.Peak);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _worker.Dispose();
        _api.Dispose();
        Services("stop");
        Directory.Delete(_folder, recursive: true);
    }

    private string Services(string verb, params string[] words) =>
        ServerProcess.Run(Path.Combine(RepositoryRoot.Path, "ops", "services"), new Dictionary<string, string>(), [verb, "--dir", Path.Combine(_folder, "services"), .. words]);
}
