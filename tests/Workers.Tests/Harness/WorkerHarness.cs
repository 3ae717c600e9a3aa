using System.Collections.Concurrent;
using System.Text;
using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Pipeline.Contracts;
using Pipeline.Registry.Bus;
using Pipeline.Registry.Bus.Batches;
using Pipeline.Registry.Cdn;
using Pipeline.Registry.Database;
using Pipeline.Registry.Failures;
using Pipeline.Registry.Git;
using Pipeline.Registry.Options;
using Pipeline.Registry.Schedules;
using Pipeline.Registry.Store;
using Pipeline.Registry.Truth;
using Pipeline.Tests.Services;
using Pipeline.Workers.Tests.Tarballs;

namespace Pipeline.Workers.Tests.Harness;

/// <summary>
/// One worker on a real bus, database and folder. What it rings is recorded, not delivered. At the end no failure may stand
/// open that the test did not ask for.
/// </summary>
internal sealed class WorkerHarness : IAsyncDisposable
{
    private readonly IHost _host;
    private readonly string _folder;
    private readonly PostgresCopy? _copy;
    private readonly Consumed _consumed = new();
    private readonly S3Buckets? _buckets;
    private bool _failuresExpected;
    private bool _isGuest;

    private WorkerHarness(IHost host, string folder, PostgresCopy? copy, S3Buckets? buckets)
    {
        _buckets = buckets;
        _host = host;
        _folder = folder;
        _copy = copy;
    }

    /// <summary>What the engine throws at a statement that is wrong.</summary>
    public static string DatabaseError => PostgresCopies.AreChosen ? "PostgresException" : "SqliteException";

    public IDatabase Database => _host.Services.GetRequiredService<IDatabase>();

    public FaultyDatabase Faults => (FaultyDatabase)Database;

    /// <summary>Where its files are.</summary>
    public string Folder => _folder;

    public FaultyStore Store => (FaultyStore)_host.Services.GetRequiredService<IObjectStore>();

    public RecordedBells Bells => (RecordedBells)_host.Services.GetRequiredService<IDoorbell>();

    /// <summary>Replays failures as the admin API does.</summary>
    public Replay Replay => ActivatorUtilities.CreateInstance<Replay>(_host.Services);

    public IServiceProvider Services => _host.Services;

    public ThisProcess Process => _host.Services.GetRequiredService<ThisProcess>();

    /// <param name="queue">The worker's; several are separated by blanks.</param>
    /// <param name="publish">Limits.</param>
    /// <param name="workers">Options of workers.</param>
    /// <param name="git">The git program.</param>
    /// <param name="gitRemote">Where the git index is pushed to.</param>
    /// <param name="onPostgres">The engine; null: that of the suite.</param>
    /// <param name="beside">Another, whose database and folder this one shares as another process does; it must outlive this one.</param>
    /// <param name="cdn">The caches to purge.</param>
    /// <param name="buckets">An S3 server's, in place of a folder; they end with the harness.</param>
    /// <param name="clock">The process's time of day.</param>
    /// <param name="notices">How webhooks are told.</param>
    /// <param name="upstreams">How upstreams are followed.</param>
    /// <param name="mail">How operators are told by mail.</param>
    /// <param name="squashAfterCommits">The history that the schedule squashes.</param>
    /// <param name="mirror">How files are fetched.</param>
    public static async Task<WorkerHarness> StartAsync(
        string queue, PublishOptions? publish = null, WorkerOptions? workers = null, string git = "git", string? gitRemote = null,
        bool? onPostgres = null, WorkerHarness? beside = null, CdnOptions? cdn = null, S3Buckets? buckets = null,
        TimeProvider? clock = null, NoticeOptions? notices = null, int squashAfterCommits = 10_000, MirrorOptions? mirror = null, UpstreamOptions? upstreams = null, MailOptions? mail = null)
    {
        var folder = beside?._folder ?? Directory.CreateTempSubdirectory("worker-test-").FullName;
        var copy = beside is not null ? beside._copy : onPostgres ?? PostgresCopies.AreChosen ? await PostgresCopies.CreateAsync() : null;
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Logging.SetMinimumLevel(LogLevel.None);
        var options = workers ?? new WorkerOptions();
        var services = builder.Services;
        services.AddSingleton(clock ?? TimeProvider.System);
        services.AddSingleton<IDatabase>(new FaultyDatabase(copy?.Open() as IDatabase ?? new SqliteDatabase(Path.Combine(folder, "registry.sqlite"), TimeProvider.System, readers: 4)));
        services.AddSingleton<IObjectStore>(new FaultyStore(buckets is null ? new FolderStore(Path.Combine(folder, "objects")) : new S3Store(buckets.Options)));
        services.AddSingleton(publish ?? new PublishOptions());
        services.AddSingleton(new RegistryOptions { Data = folder });
        services.AddSingleton(cdn ?? new CdnOptions());
        services.AddSingleton(notices ?? new NoticeOptions());
        services.AddSingleton(mirror ?? new MirrorOptions());
        services.AddSingleton(upstreams ?? new UpstreamOptions());
        services.AddSingleton(mail ?? new MailOptions());
        services.AddGitIndex(new GitIndexOptions { RepositoryPath = Path.Combine(folder, "index.git"), Program = git, GatherSeconds = 0, SeparateCommits = 100_000, Remote = gitRemote, SquashAfterCommits = squashAfterCommits });
        services.AddSingleton(options);
        services.AddSingleton(new ScheduleOptions());
        services.AddSingleton<ThisProcess>();
        services.AddWorkers(options with { Only = ["none"] });
        services.AddInMemoryBus(bus =>
        {
            foreach (var name in queue.Split(' ')) WorkerCatalogue.All.Single(worker => worker.Stage.Queue == name).Register(bus);
        });
        // A test waits for the end of what it delivered.
        services.Replace(ServiceDescriptor.Singleton(new BatchMessages(AreHeld: true)));
        services.Replace(ServiceDescriptor.Singleton<IDoorbell>(new RecordedBells { Level = new QueueLevel(0, options.QueueCapacity) }));

        var harness = new WorkerHarness(builder.Build(), folder, copy, buckets) { _isGuest = beside is not null };
        await Migrator.MigrateAsync(harness.Database);
        await harness.Process.EnterAsync(alone: beside is null, queue);
        await harness._host.StartAsync();
        harness._host.Services.GetRequiredService<IBus>().ConnectConsumeObserver(harness._consumed);
        return harness;
    }

    /// <summary>Delivers a message and returns once its consumer has ended, well or not.</summary>
    public async Task DeliverAsync<T>(T message)
        where T : class => await BeginDelivery(message);

    /// <summary>Delivers a message; the task ends with its consumer.</summary>
    public Task BeginDelivery<T>(T message)
        where T : class
    {
        var id = NewId.NextGuid();
        var done = _consumed.Expect(id);
        var published = _host.Services.GetRequiredService<IBus>().Publish(message, context => context.MessageId = id);
        return Task.WhenAll(published, done).WaitAsync(TimeSpan.FromSeconds(30));
    }

    public ValueTask<long?> LongAsync(string sql, params object?[] parameters) => Database.ReadAsync(statements => statements.LongAsync(sql, parameters));

    public ValueTask<string?> TextAsync(string sql, params object?[] parameters) => Database.ReadAsync(statements => statements.TextAsync(sql, parameters));

    /// <summary>The texts of a query's rows, with commas between.</summary>
    public async ValueTask<string> TextsAsync(string sql, params object?[] parameters) =>
        string.Join(", ", await Database.ReadAsync(statements => statements.QueryAsync(sql, static row => row.Text(0), parameters)));

    public ValueTask<int> ExecuteAsync(string sql, params object?[] parameters) => Database.WriteAsync(statements => statements.ExecuteAsync(sql, parameters));

    /// <summary>The open failures of a stage as <c>kind/code</c>; asking for them says that they are expected.</summary>
    public async Task<List<string>> FailuresAsync()
    {
        _failuresExpected = true;
        return await Database.ReadAsync(sql => sql.QueryAsync("SELECT kind, code FROM failures WHERE resolved_at IS NULL ORDER BY id", row => $"{row.Text(0)}/{row.Text(1)}"));
    }

    public async Task<long> UserAsync(string login) =>
        (await Database.WriteAsync(sql => sql.LongAsync(
            "INSERT INTO users (login, login_key, created_at) VALUES ($1, $1, now_us()) ON CONFLICT (login_key) DO UPDATE SET name = NULL RETURNING id", login)))!.Value;

    /// <summary>Parks a publish as intake would, without ringing.</summary>
    public async Task<string> ParkAsync(string name, string version, string? manifest = null, string user = "owner", string claims = """{"dependencies":[],"allowMissingDependencies":false}""")
    {
        var archive = new ArchiveBuilder().File($"{name}-{version}/Cargo.toml", manifest ?? Manifest(name, version)).File($"{name}-{version}/src/lib.rs").ToGzip();
        return await ParkBytesAsync(name, version, archive, user, claims);
    }

    public async Task<string> ParkBytesAsync(string name, string version, byte[] archive, string user = "owner", string claims = """{"dependencies":[],"allowMissingDependencies":false}""")
    {
        var userId = await UserAsync(user);
        var id = PublishId.New().ToString();
        using var content = new MemoryStream(archive);
        await Store.CreateAsync(StoreKeys.Staged(id), content, archive.Length);
        await ExecuteAsync(
            """
            INSERT INTO publishes (id, canonical, name, num, num_no_build, checksum, size, user_id, claims, staging_key, state, received_at, parked_at, deadline_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'parked', now_us(), now_us(), now_us() + 60000000)
            """,
            id, CanonicalName.Of(name).Text, name, version, CrateVersion.Parse(version).WithoutBuild, Checksum.OfContent(archive).ToString(), (long)archive.Length,
            userId, claims, StoreKeys.Staged(id));
        return id;
    }

    /// <summary>Parks a publish and writes the facts of its archive as the tarball stage would.</summary>
    public async Task<string> CheckedAsync(string name, string version, string? manifest = null, string user = "owner", string claims = """{"dependencies":[],"allowMissingDependencies":false}""")
    {
        var id = await ParkAsync(name, version, manifest, user, claims);
        await using var staged = await Store.OpenAsync(StoreKeys.Staged(id));
        var facts = Workers.Tarballs.TarballReader.Read(staged!.Content, new Workers.Tarballs.TarballRules($"{name}-{version}"), CancellationToken.None);
        var json = System.Text.Json.JsonSerializer.Serialize(facts, Workers.Tarballs.TarballJson.Default.TarballFacts);
        await Database.WriteAsync(sql => Publishes.CheckedAsync(sql, id, json, 0, rung: true));
        return id;
    }

    public static string Manifest(string name, string version, string more = "") =>
        $"[package]\nname = \"{name}\"\nversion = \"{version}\"\ndescription = \"test\"\nlicense = \"MIT\"\n{more}";

    /// <summary>What git says of the index repository.</summary>
    public Task<string> GitAsync(params string[] arguments) => GitInAsync(Path.Combine(_folder, "index.git"), arguments);

    /// <summary>What git says of a repository.</summary>
    public static async Task<string> GitInAsync(string repository, params string[] arguments)
    {
        using var git = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo("git", ["-C", repository, .. arguments]) { RedirectStandardOutput = true })!;
        var output = await git.StandardOutput.ReadToEndAsync();
        await git.WaitForExitAsync();
        return output;
    }

    /// <summary>Writes the git index's <c>config.json</c>, as the start of a process does.</summary>
    public async Task EnsureConfigAsync() =>
        await _host.Services.GetRequiredService<IndexRepository>().EnsureConfigAsync(IndexConfig.Render(_host.Services.GetRequiredService<RegistryOptions>()), CancellationToken.None);

    /// <summary>Commits to the git index behind the writer's back.</summary>
    public async Task CommitAsync(IReadOnlyList<(string Path, string Content)> upserts, IReadOnlyList<string> deletes)
    {
        await using var session = await _host.Services.GetRequiredService<IndexRepository>().BeginWriteAsync(CancellationToken.None);
        var (tip, _) = await session.LookUpAsync([], CancellationToken.None);
        var files = upserts.Select(file => new IndexUpsert(file.Path, Encoding.UTF8.GetBytes(file.Content))).ToList();
        await session.CommitAsync(tip, [new IndexCommit("By another hand", files, deletes)], CancellationToken.None);
    }

    /// <summary>Records a version with bytes and record, as a publish that was accepted leaves them; the crate is made if need be.</summary>
    /// <param name="name">The crate.</param>
    /// <param name="num">The version.</param>
    /// <param name="keepPublish">Whether the publish is there too, and from before its bytes, as whoever looks meanwhile must see it.</param>
    public async Task<long> RecordAsync(string name, string num, bool keepPublish = false)
    {
        var bytes = Encoding.UTF8.GetBytes($"{name} {num}");
        var (publish, checksum) = (PublishId.New().ToString(), Checksum.OfContent(bytes).ToString());
        if (keepPublish)
        {
            var user = await UserAsync("owner");
            await ExecuteAsync(
                """
                INSERT INTO publishes (id, canonical, name, num, num_no_build, checksum, size, user_id, claims, staging_key, state, received_at, parked_at, decided_at, deadline_at)
                VALUES ($1, $2, $3, $4, $4, $5, $6, $7, '{}', $8, 'accepted', now_us(), now_us(), now_us(), now_us())
                """,
                publish, CanonicalName.Of(name).Text, name, num, checksum, (long)bytes.Length, user, StoreKeys.Staged(publish));
        }

        await Store.PutAsync(StoreKeys.Crate(name, num), bytes);
        await Store.PutAsync(StoreKeys.Record(name, num, publish), "{}"u8.ToArray());
        return await Database.WriteAsync(async sql =>
        {
            var crate = (await sql.LongAsync(
                """
                INSERT INTO crates (canonical, name, revision, last_published_at, created_at, updated_at) VALUES ($1, $2, 0, now_us(), now_us(), now_us())
                ON CONFLICT (namespace, source, canonical) DO UPDATE SET updated_at = now_us() RETURNING id
                """,
                CanonicalName.Of(name).Text, name))!.Value;
            await sql.ExecuteAsync(
                """
                INSERT INTO versions (crate_id, num, num_no_build, sort_key, prerelease, checksum, size, object_key, entry_head, entry_tail, dependencies, features, has_lib,
                    bin_names, publish_id, published_at, updated_at)
                VALUES ($1, $2, $2, $3, FALSE, $4, $5, $6, $7, '}', '[]', '{}', TRUE, '[]', $8, now_us(), now_us())
                """,
                crate, num, CrateVersion.Parse(num).ToSortKey(), checksum, (long)bytes.Length, StoreKeys.Crate(name, num),
                $"{{\"name\":\"{name}\",\"vers\":\"{num}\",\"deps\":[],\"cksum\":\"{checksum}\",\"features\":{{}},\"yanked\":", publish);
            await Revisions.BumpAsync(sql, crate, "publish", num);
            return crate;
        });
    }

    /// <summary>Brings both indexes up to date; the harness must serve their queues.</summary>
    public async Task RenderAllAsync()
    {
        foreach (var crate in await Database.ReadAsync(static sql => sql.QueryAsync("SELECT crate_id FROM projections WHERE kind = 'sparse' AND reached < wanted", static row => row.Long(0))))
            await DeliverAsync(new Contracts.Index.RenderSparse(crate));
        await DeliverAsync(new Contracts.Index.CommitIndex());
    }

    /// <summary>The keys of all objects, sorted: what a publish leaves behind.</summary>
    public async Task<List<string>> ObjectsAsync()
    {
        var keys = new List<string>();
        foreach (var folder in new[] { StoreKeys.Staging, StoreKeys.Crates, StoreKeys.Records, StoreKeys.Index })
        {
            await foreach (var entry in Store.ListAsync(folder)) keys.Add(entry.Key);
        }

        keys.Sort(StringComparer.Ordinal);
        return keys;
    }

    public async Task<string?> ReadAsync(string key)
    {
        await using var stored = await Store.OpenAsync(key);
        if (stored is null) return null;
        using var reader = new StreamReader(stored.Content, Encoding.UTF8);
        return await reader.ReadToEndAsync();
    }

    public async ValueTask DisposeAsync()
    {
        var open = _failuresExpected ? null : await TextAsync("SELECT stage || ' ' || key || ': ' || text FROM failures WHERE resolved_at IS NULL LIMIT 1");
        await _host.StopAsync();
        await ((IAsyncDisposable)Database).DisposeAsync();
        _host.Dispose();
        if (!_isGuest)
        {
            if (_copy is not null) await _copy.DisposeAsync();
            if (_buckets is not null) await _buckets.DisposeAsync();
            Directory.Delete(_folder, recursive: true);
        }

        open.ShouldBeNull();
    }

    private sealed class Consumed : IConsumeObserver
    {
        private readonly ConcurrentDictionary<Guid, TaskCompletionSource> _expected = new();

        public Task Expect(Guid id) => _expected.GetOrAdd(id, _ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;

        public Task PreConsume<T>(ConsumeContext<T> context)
            where T : class => Task.CompletedTask;

        public Task PostConsume<T>(ConsumeContext<T> context)
            where T : class => End(context.MessageId);

        public Task ConsumeFault<T>(ConsumeContext<T> context, Exception exception)
            where T : class => End(context.MessageId);

        private Task End(Guid? id)
        {
            if (id is { } known && _expected.TryRemove(known, out var done)) done.TrySetResult();
            return Task.CompletedTask;
        }
    }
}
