using Microsoft.Extensions.Logging.Abstractions;
using Pipeline.Registry.Database;
using Pipeline.Registry.Failures;
using Pipeline.Registry.Git;
using Pipeline.Registry.Options;
using Pipeline.Registry.Tests;
using Pipeline.Registry.Tests.Git;
using Pipeline.Registry.Truth;
using Pipeline.Workers.GitIndex;

namespace Pipeline.Workers.Tests.GitIndex;

/// <summary>A database with crates and a git index beside it.</summary>
public sealed class IndexedRegistry : IAsyncDisposable
{
    private long _time;

    private IndexedRegistry(TempDatabase truth) => (Truth, Index) = (truth, new IndexFolder(truth.Folder));

    public TempDatabase Truth { get; }

    public IndexFolder Index { get; }

    public static async Task<IndexedRegistry> CreateAsync(TimeProvider? clock = null) => new(await TempDatabase.CreateAsync(clock));

    /// <summary>Brings the index up to date, as a process that has just started does.</summary>
    public async Task<int?> DrainAsync(TimeProvider? clock = null)
    {
        using var repository = Index.Open(clock ?? Truth.Clock);
        return await Writer(repository).DrainAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>A writer, in the name of a process; by default of one that is not among the living, so that anybody may take its lease.</summary>
    public GitIndexWriter Writer(IndexRepository repository, string process = "test") => Writer(Truth.Database, repository, Index.Options, process, TimeProvider.System);

    public static GitIndexWriter Writer(IDatabase database, IndexRepository repository, GitIndexOptions options, string process, TimeProvider clock)
    {
        var lease = new Lease(database, GitIndexWriter.LeaseName, process, TimeSpan.FromSeconds(options.LeaseSeconds), clock);
        var failures = new FailureLog(database, NullLogger<FailureLog>.Instance);
        return new GitIndexWriter(database, repository, options, failures, lease, new RemoteIndex(database, new RegistryOptions(), lease), clock, NullLogger<GitIndexWriter>.Instance);
    }

    /// <summary>Publishes a version; the crate is created, or comes back from deletion in the spelling given.</summary>
    public ValueTask<long> PublishAsync(string name, string num, string @namespace = "", string? head = null) =>
        Truth.Database.WriteAsync(sql => PublishAsync(sql, name, num, @namespace, head));

    /// <summary>Publishes many crates at once.</summary>
    public ValueTask<int> PublishAsync(IReadOnlyList<string> names) => Truth.Database.WriteAsync(async sql =>
    {
        foreach (var name in names) await PublishAsync(sql, name, "1.0.0", "", null);
        return names.Count;
    });

    private async ValueTask<long> PublishAsync(Statements sql, string name, string num, string @namespace, string? head)
    {
        var time = Interlocked.Increment(ref _time);
        var canonical = name.ToLowerInvariant().Replace('-', '_');
        var id = await sql.LongAsync(
            """
            INSERT INTO crates (namespace, canonical, name, revision, last_published_at, created_at, updated_at) VALUES ($1, $2, $3, 0, $4, $4, $4)
            ON CONFLICT (namespace, source, canonical) DO UPDATE SET state = 'active', last_published_at = $4,
                name = CASE WHEN crates.state = 'deleted' THEN excluded.name ELSE crates.name END
            RETURNING id
            """,
            @namespace, canonical, name, time);
        await sql.ExecuteAsync(
            """
            INSERT INTO versions (crate_id, num, num_no_build, sort_key, prerelease, checksum, size, object_key, entry_head, entry_tail, dependencies, features, has_lib, bin_names,
                publish_id, published_at, updated_at)
            VALUES ($1, $2, $2, '\x00', FALSE, 'c', 1, 'k', $3, '}', '[]', '{}', TRUE, '[]', 'p', $4, $4)
            """,
            id, num, head ?? $"{{\"name\":\"{name}\",\"vers\":\"{num}\",\"yanked\":", time);
        await Revisions.BumpAsync(sql, id!.Value, "publish", num);
        return id.Value;
    }

    public Task YankAsync(long crate, string num, bool yanked) => ChangeAsync(crate, yanked ? "yank" : "unyank", "UPDATE versions SET yanked = $3 WHERE crate_id = $1 AND num = $2", crate, num, yanked);

    public Task DeleteVersionAsync(long crate, string num) => ChangeAsync(crate, "delete-version", "UPDATE versions SET state = 'deleted', freed = TRUE WHERE crate_id = $1 AND num = $2", crate, num);

    public async Task DeleteAsync(long crate)
    {
        await Truth.ExecuteAsync("UPDATE versions SET state = 'deleted', freed = TRUE WHERE crate_id = $1", crate);
        await ChangeAsync(crate, "delete", "UPDATE crates SET state = 'deleted' WHERE id = $1", crate);
    }

    public Task ChangeOwnersAsync(long crate) => ChangeAsync(crate, "owners", "UPDATE crates SET updated_at = $2 WHERE id = $1", crate, 1);

    /// <summary>As if the process had died between a commit and the note of it.</summary>
    public ValueTask<int> ForgetAsync(long crate) =>
        Truth.ExecuteAsync("UPDATE projections SET reached = 0, path = NULL, first_change = (SELECT MIN(id) FROM changes WHERE crate_id = $1) WHERE crate_id = $1 AND kind = 'git'", crate);

    /// <summary>One value of a crate's git projection.</summary>
    public ValueTask<string?> RowAsync(long crate, string column) => Truth.TextAsync($"SELECT CAST({column} AS TEXT) FROM projections WHERE crate_id = $1 AND kind = 'git'", crate);

    /// <summary>How many crates still lag.</summary>
    public async Task<long> LaggingAsync() => (await Truth.LongAsync("SELECT COUNT(*) FROM projections WHERE kind = 'git' AND reached < wanted"))!.Value;

    public async ValueTask DisposeAsync() => await Truth.DisposeAsync();

    private async Task ChangeAsync(long crate, string kind, string sql, params object?[] parameters) => await Truth.Database.WriteAsync(async statements =>
    {
        await statements.ExecuteAsync(sql, parameters);
        return await Revisions.BumpAsync(statements, crate, kind, null);
    });
}
