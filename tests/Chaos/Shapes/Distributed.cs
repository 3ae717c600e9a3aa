using System.Diagnostics;
using System.Globalization;
using Pipeline.Contracts;
using Pipeline.Registry.Database;
using Pipeline.Registry.Faults;
using Pipeline.Registry.Store;
using Pipeline.Tests.Services;
using Pipeline.Tests.Serving;
using Pipeline.Workers;

namespace Pipeline.Tests.Chaos.Shapes;

/// <summary>
/// The distributed shape: two API processes, whose turn it is one after the other, and two of each worker, over RabbitMQ, PostgreSQL and S3 of
/// their own, with a git remote and a real Varnish. The two git writers are two machines: each has a clone, on a small disk.
/// </summary>
internal sealed class Distributed
{
    private const int DiskMegabytes = 128;

    private Distributed(Fleet fleet, RealServices services, Cable store, Cable cdn, Cable broker, GitPlace remote, IReadOnlyList<SmallDisk> clones) =>
        (Fleet, Services, Store, Cdn, Broker, Remote, Clones) = (fleet, services, store, cdn, broker, remote, clones);

    /// <summary>The registry.</summary>
    public Fleet Fleet { get; }

    /// <summary>Its services.</summary>
    public RealServices Services { get; }

    /// <summary>The way to S3.</summary>
    public Cable Store { get; }

    /// <summary>The way to the cache.</summary>
    public Cable Cdn { get; }

    /// <summary>The way to RabbitMQ.</summary>
    public Cable Broker { get; }

    /// <summary>The remote of the git index.</summary>
    public GitPlace Remote { get; }

    /// <summary>The disks of the git writers' clones.</summary>
    public IReadOnlyList<SmallDisk> Clones { get; }

    /// <summary>Starts it.</summary>
    /// <param name="plant">The bug to switch on; null: none.</param>
    public static async Task<Distributed> StartAsync(string? plant)
    {
        var fleet = new Fleet("distributed", plant);
        try
        {
            var services = fleet.Own(await RealServices.StartAsync(["postgres", "rabbitmq", "s3"]));
            var varnish = fleet.Own(await RealServices.StartAsync(["varnish"], "--origin", $"127.0.0.1:{fleet.Port}"));
            var remote = new GitPlace(Path.Combine(fleet.Data, "remote.git"));
            Directory.CreateDirectory(fleet.Data);
            await remote.CreateAsync();
            var clones = new List<SmallDisk>();
            foreach (var machine in new[] { "one", "two" }) clones.Add(fleet.Own(await SmallDisk.MountAsync(Path.Combine(fleet.Data, machine, "index.git"), DiskMegabytes)));

            var store = fleet.Own(Cable.To(new Uri(services["PIPELINE__Store__S3__Endpoint"]).Port));
            var broker = fleet.Own(Cable.To(new Uri(services["PIPELINE__Bus__RabbitMq"]).Port));
            var (cdn, behind) = Behind(fleet, varnish);
            (string, string)[] environment =
            [
                .. fleet.Environment, .. services.Environment.Select(variable => (variable.Key, variable.Value)), .. behind,
                ("PIPELINE__Registry__PublicUrl", fleet.Url), ("PIPELINE__Store__S3__Endpoint", $"http://127.0.0.1:{store.Port}"), ("PIPELINE__Store__S3__TimeoutSeconds", "3"),
                ("PIPELINE__Bus__RabbitMq", new UriBuilder(services["PIPELINE__Bus__RabbitMq"]) { Port = broker.Port }.Uri.AbsoluteUri),
                ("PIPELINE__GitIndex__Remote", remote.Path), ("PIPELINE__Database__ConnectSeconds", "3"),
            ];
            await MigrateAsync(environment);
            await StartAsync(fleet, environment, clones);
            fleet.GitUrl = remote.Path;
            fleet.OpenDatabase = () => new PostgresDatabase(new DatabaseOptions { Postgres = new Secret(services["PIPELINE__Database__Postgres"]) });
            fleet.OpenStore = () => new S3Store(new S3Options
            {
                Endpoint = services["PIPELINE__Store__S3__Endpoint"],
                Bucket = services["PIPELINE__Store__S3__Bucket"],
                StagingBucket = services["PIPELINE__Store__S3__StagingBucket"],
                AccessKey = new Secret(services["PIPELINE__Store__S3__AccessKey"]),
                SecretKey = new Secret(services["PIPELINE__Store__S3__SecretKey"]),
            });
            fleet.Opens();
            return new Distributed(fleet, services, store, cdn, broker, remote, clones);
        }
        catch
        {
            fleet.Opens();
            await fleet.DisposeAsync();
            throw;
        }
    }

    /// <summary>Puts a cable between the purges and the cache, and says how a process is configured for it.</summary>
    internal static (Cable Cable, IReadOnlyList<(string Name, string Value)> Environment) Behind(Fleet fleet, RealServices varnish)
    {
        var own = new Uri(varnish["PIPELINE__Cdn__Targets__0__IndexUrls__0"]);
        var cable = fleet.Own(Cable.To(own.Port));
        fleet.Edge = new Uri(own.GetLeftPart(UriPartial.Authority));
        return (cable,
        [
            .. varnish.Environment.Select(variable => (variable.Key, variable.Value.Replace($"{own.Host}:{own.Port}", $"{own.Host}:{cable.Port}", StringComparison.Ordinal))),
        ]);
    }

    private static async Task StartAsync(Fleet fleet, (string, string)[] environment, IReadOnlyList<SmallDisk> clones)
    {
        var ports = new[] { Fleet.AnyPort(), Fleet.AnyPort() };
        fleet.Own(Cable.Between(fleet.Port, ports));
        for (var i = 0; i < ports.Length; i++)
        {
            Add("api", [.. FaultPoints.All.Where(point => point.StartsWith("intake.", StringComparison.Ordinal))], ["api", "--port", ports[i].ToString(CultureInfo.InvariantCulture)]);
            AddWorker("tarball", "tarball.", ["validate-tarball"]);
            AddWorker("manifest", "manifest.", ["read-manifest"]);
            AddWorker("git", "git.", ["commit-index"], ("PIPELINE__GitIndex__RepositoryPath", clones[i].Path));
            AddWorker("sparse", "sparse.", ["render-sparse"]);
            AddWorker("cdn", "cdn.", ["purge-cdn"]);
            AddWorker("upkeep", "schedule.", WorkerCatalogue.All.Select(worker => worker.Stage.Queue).Except(["validate-tarball", "read-manifest", "commit-index", "render-sparse", "purge-cdn"]));
        }

        // Two at a time: each start takes a processor for a second or two.
        await Parallel.ForEachAsync(fleet.Processes, new ParallelOptions { MaxDegreeOfParallelism = 2 }, async (process, _) => await process.StartAsync());

        void AddWorker(string role, string prefix, IEnumerable<string> queues, params (string, string)[] extra) => Add(
            role, [.. FaultPoints.All.Concat(FaultPoints.OfRemote).Concat(FaultPoints.OfSchedules).Where(point => point.StartsWith(prefix, StringComparison.Ordinal))], ["worker", "--only", .. queues], extra);

        void Add(string role, IReadOnlyList<string> points, IReadOnlyList<string> arguments, params (string, string)[] extra) =>
            fleet.Processes.Add(new RoleProcess(role, points, arguments, [.. environment, .. extra], fleet.Journal));
    }

    private static async Task MigrateAsync(IEnumerable<(string, string)> environment)
    {
        using var process = Process.Start(PipelineProgram.Start(["migrate"], environment))!;
        process.StandardInput.Close();
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        if (process.ExitCode != 0) throw new InvalidOperationException($"pipeline migrate: {await output}{await error}");
    }
}
