using System.Runtime.CompilerServices;
using Pipeline.Contracts;
using Pipeline.Contracts.Upkeep;
using Pipeline.Registry.Database;
using Pipeline.Registry.Git;
using Pipeline.Registry.Options;
using Pipeline.Registry.Store;
using Pipeline.Registry.Truth;

namespace Pipeline.Workers.Reconciliation;

/// <summary>Finds files in the indexes that no crate has, and whether <c>config.json</c> says what the registry says.</summary>
public sealed class StrayFiles(
    IDatabase database, IObjectStore store, IndexRepository repository, RegistryOptions registry, CrateLooks looks, Mending mending, Purges purges)
{
    private const int MostLooks = 8;
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromMilliseconds(250);

    /// <summary>In the sparse index.</summary>
    public IReconcilePhase OfSparse => new Phase("sparse", run => SparseAsync(run));

    /// <summary>In the git index.</summary>
    public IReconcilePhase OfGit => new Phase("git", run => GitAsync(run));

    private async IAsyncEnumerable<ReconcilePage> SparseAsync(ReconcileRun run, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        if (await SparseConfigAsync(run, cancellationToken).ConfigureAwait(false) is { } config) yield return new ReconcilePage(0, 1, 0, [config]);
        await foreach (var page in Batches.OfAsync(store.ListAsync(StoreKeys.Index, cancellationToken), cancellationToken).ConfigureAwait(false))
        {
            var paths = page.ConvertAll(static entry => entry.Key[(StoreKeys.Index.Length + 1)..]);
            yield return await CompareAsync(run, "sparse", paths, (path, stop) => looks.ReadAsync(StoreKeys.SparseFile(path), stop), cancellationToken).ConfigureAwait(false);
        }
    }

    private async IAsyncEnumerable<ReconcilePage> GitAsync(ReconcileRun run, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        if (await repository.TipAsync(cancellationToken).ConfigureAwait(false) is not { } tip) yield break;
        if (await GitConfigAsync(run, tip, cancellationToken).ConfigureAwait(false) is { } config) yield return new ReconcilePage(0, 1, 0, [config]);
        await foreach (var paths in Batches.OfAsync(repository.ListAsync(tip, cancellationToken), cancellationToken).ConfigureAwait(false))
            yield return await CompareAsync(run, "git", paths, ReadAsync, cancellationToken).ConfigureAwait(false);

        async Task<byte[]?> ReadAsync(string path, CancellationToken stop) =>
            IsSpeakable(path) && await repository.TipAsync(stop).ConfigureAwait(false) is { } now ? await repository.ReadAsync(now, path, stop).ConfigureAwait(false) : null;
    }

    private async Task<ReconcilePage> CompareAsync(ReconcileRun run, string index, List<string> paths, Func<string, CancellationToken, Task<byte[]?>> read, CancellationToken cancellationToken)
    {
        var candidates = paths.Where(static path => path != IndexRepository.ConfigPath).ToList();
        var owned = await OwnedAsync(candidates, cancellationToken).ConfigureAwait(false);
        var differences = new List<Difference>();
        foreach (var path in candidates.Where(path => !owned.Contains(path)))
        {
            if (!IsSpeakable(path))
            {
                differences.Add(new Difference(DifferenceKind.ExtraInIndex, index, null, null, null, path, "no path that an index can have"));
                continue;
            }

            if (await StrayAsync(index, path, read, cancellationToken).ConfigureAwait(false) is not { } stray) continue;
            differences.Add(run.Repair ? await MendAsync(index, stray, read, cancellationToken).ConfigureAwait(false) : stray.Difference);
        }

        return new ReconcilePage(0, paths.Count, 0, differences);
    }

    // The paths that a crate of the database has, in one question.
    private async Task<HashSet<string>> OwnedAsync(List<string> paths, CancellationToken cancellationToken)
    {
        var canonicals = Batches.Json(paths.Select(static path => CanonicalOf(path)).Distinct());
        var names = await database.ReadAsync(
            sql => sql.QueryAsync(
                sql.Dialect == Dialect.Sqlite ? SqliteOwned : PostgresOwned, static row => row.Text(0), canonicals), cancellationToken).ConfigureAwait(false);
        return names.Select(Contracts.Index.IndexPath.Of).ToHashSet(StringComparer.Ordinal);
    }

    private const string OwnedSql =
        """
        SELECT c.name FROM crates c WHERE c.namespace = '' AND c.served AND c.state = 'active'
            AND (length(c.upstream_file) > 0 OR EXISTS (SELECT 1 FROM versions v WHERE v.crate_id = c.id AND v.state = 'active')) AND c.canonical IN
        """;

    private static readonly string SqliteOwned = $"{OwnedSql} {Dialect.Sqlite.TextList("$1")}";
    private static readonly string PostgresOwned = $"{OwnedSql} {Dialect.Postgres.TextList("$1")}";

    /// <summary>Looks again at a file that seemed to be nobody's, while nothing of its name is on its way; null: it is somebody's, or gone, or never came to rest.</summary>
    private async Task<Stray?> StrayAsync(string index, string path, Func<string, CancellationToken, Task<byte[]?>> read, CancellationToken cancellationToken)
    {
        var canonical = CanonicalOf(path);
        for (var i = 0; i < MostLooks; i++)
        {
            if (i > 0) await Task.Delay(BetweenLooks * i, cancellationToken).ConfigureAwait(false);
            var before = await StateAsync(canonical, cancellationToken).ConfigureAwait(false);
            if (before is { IsAtRest: false }) continue;
            if (await read(path, cancellationToken).ConfigureAwait(false) is not { } content || await mending.OwnerAsync(path, cancellationToken).ConfigureAwait(false) is not null) return null;
            if (await StateAsync(canonical, cancellationToken).ConfigureAwait(false) != before) continue;
            var versions = IndexComparison.Versions(content);
            var crate = await mending.CrateAsync(canonical, cancellationToken).ConfigureAwait(false);
            return new Stray(new Difference(DifferenceKind.ExtraInIndex, index, crate, path[(path.LastIndexOf('/') + 1)..], null, path, $"{versions.Count} lines"), canonical, versions);
        }

        return null;
    }

    private async Task<Difference> MendAsync(string index, Stray stray, Func<string, CancellationToken, Task<byte[]?>> read, CancellationToken cancellationToken)
    {
        var (difference, path) = (stray.Difference, stray.Difference.Object!);
        if (!await mending.MayDropAsync(difference.Name!, stray.Versions, cancellationToken).ConfigureAwait(false))
            return difference with { Detail = $"{difference.Detail}; its bytes and record exist: the database has lost it" };
        if (index == "sparse") await mending.RemoveSparseAsync(path, stray.Canonical, cancellationToken).ConfigureAwait(false);
        else await mending.RemoveFromGitAsync(path, cancellationToken).ConfigureAwait(false);
        return difference with { Repaired = await read(path, cancellationToken).ConfigureAwait(false) is null };
    }

    private async Task<CrateState?> StateAsync(string canonical, CancellationToken cancellationToken) =>
        await mending.CrateAsync(canonical, cancellationToken).ConfigureAwait(false) is { } crate ? await looks.StateAsync(crate, cancellationToken).ConfigureAwait(false) : null;

    // Standalone, the API answers for the sparse index's config.json; in a store it is there once a worker has written it.
    private async Task<Difference?> SparseConfigAsync(ReconcileRun run, CancellationToken cancellationToken)
    {
        var key = StoreKeys.SparseFile(IndexRepository.ConfigPath);
        var content = await ConfigAsync(cancellationToken).ConfigureAwait(false);
        if (content is null || await store.IdentifyAsync(key, cancellationToken).ConfigureAwait(false) is null || await store.HoldsAsync(key, content, cancellationToken).ConfigureAwait(false)) return null;
        if (run.Repair)
        {
            await store.PutAsync(key, content, cancellationToken).ConfigureAwait(false);
            await database.WriteAsync(sql => purges.OfPlainFileAsync(sql, IndexRepository.ConfigPath, content), cancellationToken).ConfigureAwait(false);
        }

        return new Difference(DifferenceKind.ConfigDiffers, "sparse", null, null, null, IndexRepository.ConfigPath, null, run.Repair);
    }

    // A remote's may have been edited by hand: it only has to be there.
    private async Task<Difference?> GitConfigAsync(ReconcileRun run, string tip, CancellationToken cancellationToken)
    {
        var found = await repository.ReadAsync(tip, IndexRepository.ConfigPath, cancellationToken).ConfigureAwait(false);
        var content = await ConfigAsync(cancellationToken).ConfigureAwait(false);
        if (content is null || (found is not null && (repository.HasRemote || found.AsSpan().SequenceEqual(content)))) return null;
        var repaired = run.Repair && !repository.HasRemote && await repository.EnsureConfigAsync(content, cancellationToken).ConfigureAwait(false);
        return new Difference(DifferenceKind.ConfigDiffers, "git", null, null, null, IndexRepository.ConfigPath, found is null ? "missing" : null, repaired);
    }

    private async Task<byte[]?> ConfigAsync(CancellationToken cancellationToken) =>
        await database.ReadAsync(RegistryAddress.ReadAsync, cancellationToken).ConfigureAwait(false) is { } url ? IndexConfig.Render(registry with { PublicUrl = url }) : null;

    private static string CanonicalOf(string path) => CanonicalName.Of(path[(path.LastIndexOf('/') + 1)..]).Text;

    private static bool IsSpeakable(string path)
    {
        try
        {
            IndexTreePath.Check(path);
            return true;
        }
        catch (ArgumentException)
        {
            // Reported as what it is: a path that nothing of ours has written.
            return false;
        }
    }

    private sealed record Stray(Difference Difference, string Canonical, IReadOnlyList<string> Versions);
}
