using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using Pipeline.Contracts.Index;
using Pipeline.Registry.Database;
using Pipeline.Registry.Store;
using Pipeline.Registry.Truth;
using Pipeline.Tests.Chaos.Shapes;

namespace Pipeline.Tests.Chaos.Laws;

/// <summary>Reads the evidence: the database and the object store directly, the index over HTTP and through the cache, git by a clone.</summary>
internal sealed class Gathering(Fleet fleet)
{
    private const string Config = "config.json";
    private static readonly ParallelOptions Some = new() { MaxDegreeOfParallelism = 8 };

    /// <summary>Reads everything.</summary>
    /// <param name="waiting">What still waits.</param>
    public async Task<Evidence> ReadAsync(IReadOnlyList<string> waiting)
    {
        var database = fleet.OpenDatabase();
        await using var closing = (IAsyncDisposable)database;
        var rendered = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var id in await database.ReadAsync(sql => sql.QueryAsync("SELECT id FROM crates ORDER BY id", row => row.Long(0))))
        {
            if (await database.ReadAsync(sql => IndexLines.ReadAsync(sql, id)) is { Content: { } content, Name: var name }) rendered.Add(name, Encoding.UTF8.GetString(content));
        }

        var (sparse, files) = await StoredAsync();
        var (tree, commits) = await GitHistory.ReadAsync(fleet.GitUrl, Config);
        var versions = await database.ReadAsync(sql => sql.QueryAsync(
            "SELECT c.name, v.num, v.checksum, v.yanked, v.state = 'active' FROM versions v JOIN crates c ON c.id = v.crate_id",
            row => new VersionFact(row.Text(0), row.Text(1), row.Text(2), row.Bool(3), row.Bool(4))));
        var paths = sparse.Keys.Concat(rendered.Keys.Select(IndexPath.Of)).ToHashSet(StringComparer.Ordinal);
        return new Evidence
        {
            Versions = versions,
            Rendered = rendered,
            Sparse = sparse,
            Served = await FetchAsync(paths, path => new Uri($"{fleet.Url}/index/{path}")),
            Cached = await FetchAsync(paths, path => new Uri(fleet.Edge, $"/index/{path}")),
            GitTree = tree,
            Commits = commits,
            Downloads = await DownloadAsync(versions),
            Files = files,
            Publishes = (await database.ReadAsync(sql => sql.QueryAsync("SELECT id, state FROM publishes", row => (row.Text(0), row.Text(1))))).ToDictionary(StringComparer.Ordinal),
            Waiting = waiting,
            Failures = await FailuresAsync(),
        };
    }

    /// <summary>What still waits anywhere; empty: the registry has come to rest.</summary>
    public static async Task<IReadOnlyList<string>> WaitingAsync(IDatabase database) => await database.ReadAsync(static async sql =>
    {
        var waiting = new List<string>();
        async Task CountAsync(string what, string query)
        {
            if (await sql.LongAsync(query).ConfigureAwait(false) is > 0 and var count) waiting.Add($"{count} {what}");
        }

        await CountAsync("publishes without a verdict", "SELECT COUNT(*) FROM publishes WHERE decided_at IS NULL");
        await CountAsync("projections behind", "SELECT COUNT(*) FROM projections WHERE reached < wanted");
        await CountAsync("claims left open", "SELECT COUNT(*) FROM claims");
        await CountAsync("purges unconfirmed", "SELECT COUNT(*) FROM purges WHERE confirmed_at IS NULL AND NOT again");
        await CountAsync("deletions undone", "SELECT COUNT(*) FROM deletions WHERE done_at IS NULL");
        return (IReadOnlyList<string>)waiting;
    });

    private async Task<(Dictionary<string, string> Sparse, HashSet<string> Files)> StoredAsync()
    {
        var store = fleet.OpenStore();
        using var closing = store as IDisposable;
        var sparse = new Dictionary<string, string>(StringComparer.Ordinal);
        await foreach (var entry in store.ListAsync("index"))
        {
            var path = entry.Key["index/".Length..];
            if (path == Config) continue;
            await using var found = await store.OpenAsync(entry.Key) ?? throw new InvalidOperationException($"{entry.Key} is listed and not there");
            using var reader = new StreamReader(found.Content, Encoding.UTF8);
            sparse.Add(path, await reader.ReadToEndAsync());
        }

        var files = new HashSet<string>(StringComparer.Ordinal);
        await foreach (var entry in store.ListAsync("crates"))
        {
            if (entry.Key.EndsWith(".crate", StringComparison.Ordinal)) files.Add(entry.Key[(entry.Key.LastIndexOf('/') + 1)..]);
        }

        return (sparse, files);
    }

    private async Task<IReadOnlyDictionary<string, string?>> FetchAsync(IEnumerable<string> paths, Func<string, Uri> url)
    {
        var found = new ConcurrentDictionary<string, string?>(StringComparer.Ordinal);
        await Parallel.ForEachAsync(paths, Some, async (path, _) => found[path] = await GetAsync(url(path)) is { } bytes ? Encoding.UTF8.GetString(bytes) : null);
        return found;
    }

    private async Task<IReadOnlyDictionary<(string, string), string?>> DownloadAsync(IEnumerable<VersionFact> versions)
    {
        var found = new ConcurrentDictionary<(string, string), string?>();
        await Parallel.ForEachAsync(versions, Some, async (version, _) => found[(version.Crate, version.Version)] =
            await GetAsync(new Uri($"{fleet.Url}/api/v1/crates/{version.Crate}/{version.Version}/download")) is { } bytes ? Convert.ToHexStringLower(SHA256.HashData(bytes)) : null);
        return found;
    }

    private async Task<byte[]?> GetAsync(Uri url)
    {
        using var response = await fleet.Http.GetAsync(url);
        return response.StatusCode switch
        {
            HttpStatusCode.OK => await response.Content.ReadAsByteArrayAsync(),
            HttpStatusCode.NotFound => null,
            var status => throw new InvalidOperationException($"{url} answers {(int)status} when all is quiet"),
        };
    }

    private async Task<IReadOnlyList<string>> FailuresAsync()
    {
        var answer = await fleet.AdminAsync(HttpMethod.Get, "failures?limit=100");
        return [.. answer.GetProperty("failures").EnumerateArray().Select(failure => failure.GetRawText())];
    }
}
