using System.Globalization;
using Pipeline.Bench.Measuring;
using Pipeline.Contracts;
using Pipeline.Registry.Database;

namespace Pipeline.Bench.Publishing;

/// <summary>A PostgreSQL of the run's own, which syncs what it answers for.</summary>
internal sealed class PrivatePostgres : IDisposable
{
    /// <summary>The variable that leads a process to it.</summary>
    public const string Variable = "PIPELINE__Database__Postgres";

    // Not below the sources: the path of a socket may have 107 bytes.
    private readonly string _folder = Directory.CreateTempSubdirectory("bench-").FullName;

    /// <summary>Starts it.</summary>
    public PrivatePostgres()
    {
        var words = Services("start", "--durable", "postgres").Split(['\n', ' '], StringSplitOptions.RemoveEmptyEntries);
        ConnectionString = words.Single(static word => word.StartsWith($"{Variable}=", StringComparison.Ordinal)).Split('=', 2)[1].Trim('\'');
        Cpu = new ProcessCpu(int.Parse(File.ReadLines(Path.Combine(_folder, "postgres/data/postmaster.pid")).First(), CultureInfo.InvariantCulture));
    }

    /// <summary>How to connect to it.</summary>
    public string ConnectionString { get; }

    /// <summary>Its cost.</summary>
    public ProcessCpu Cpu { get; }

    /// <summary>Connects.</summary>
    public PostgresDatabase Open() => new(new DatabaseOptions { Postgres = new Secret(ConnectionString), MaxConnections = 1, CommandSeconds = 0 });

    /// <inheritdoc/>
    public void Dispose()
    {
        Services("stop");
        Directory.Delete(_folder, recursive: true);
    }

    private string Services(string verb, params string[] words) =>
        ServerProcess.Run(Path.Combine(RepositoryRoot.Path, "ops", "services"), new Dictionary<string, string>(), [verb, "--dir", _folder, .. words]);
}
