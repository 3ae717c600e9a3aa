using System.Collections.Concurrent;
using System.Globalization;
using System.Runtime.CompilerServices;
using Pipeline.Contracts.Index;
using Pipeline.Registry.Database;
using Pipeline.Registry.Git;
using Pipeline.Registry.Options;
using Pipeline.Registry.Schedules;
using Pipeline.Registry.Store;
using Pipeline.Registry.Truth;

namespace Pipeline.Workers.Reconciliation;

/// <summary>
/// Compares every crate with both indexes and the object store. A page is compared by hashes and listings first; only what differs there is
/// looked at by itself, and counts only if nothing was on its way meanwhile.
/// </summary>
public sealed class CratePages(
    IDatabase database, IObjectStore store, IndexRepository repository, CrateLooks looks, Mending mending, WorkerOptions workers, ScheduleOptions options) : IReconcilePhase
{
    private const int PageSize = 256;
    private const int MostLooks = 8;
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromMilliseconds(250);

    /// <inheritdoc/>
    public string Name => "crates";

    /// <inheritdoc/>
    public async IAsyncEnumerable<(ReconcilePage Page, string? Next)> PagesAsync(ReconcileRun run, string? position, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(run);
        var hashed = await SampleAsync(run, cancellationToken).ConfigureAwait(false);
        var after = position is null ? 0 : long.Parse(position, CultureInfo.InvariantCulture);
        while (true)
        {
            var from = after;
            var page = await database.ReadAsync(sql => IndexPages.NextAsync(sql, from, PageSize), cancellationToken).ConfigureAwait(false);
            if (page.Count == 0) yield break;
            after = page[^1].CrateId;
            yield return (await CompareAsync(run, page, hashed, cancellationToken).ConfigureAwait(false), after.ToString(CultureInfo.InvariantCulture));
        }
    }

    // Other versions' bytes are read in each run, so that all of them are in the end.
    private async Task<Func<long, bool>> SampleAsync(ReconcileRun run, CancellationToken cancellationToken)
    {
        var count = await database.ReadAsync(static sql => sql.LongAsync("SELECT COUNT(*) FROM versions WHERE state = 'active'"), cancellationToken).ConfigureAwait(false) ?? 0;
        var stride = options.ReconcileHashes <= 0 ? long.MaxValue : Math.Max(1, (count + options.ReconcileHashes - 1) / options.ReconcileHashes);
        return version => version % stride == run.Id % stride;
    }

    private async Task<ReconcilePage> CompareAsync(ReconcileRun run, List<TrueFile> page, Func<long, bool> hashed, CancellationToken cancellationToken)
    {
        var tip = await repository.TipAsync(cancellationToken).ConfigureAwait(false);
        var suspects = await SuspectsAsync(page, tip, cancellationToken).ConfigureAwait(false);
        var differences = new ConcurrentBag<Difference>();
        var (objects, inFlight) = (0L, 0L);
        await Parallel.ForEachAsync(
            page,
            new ParallelOptions { MaxDegreeOfParallelism = workers.SparseConcurrency, CancellationToken = cancellationToken },
            async (file, stop) =>
            {
                // The indexes of the others are equal by their hashes; what is left is their objects.
                if (!suspects.Contains(file.CrateId))
                {
                    var look = await looks.LookAsync(file.CrateId, inIndexes: false, hashed, stop).ConfigureAwait(false);
                    Interlocked.Add(ref objects, look.Objects);
                    if (look.IsAtRest && look.Differences.Count == 0) return;
                }

                var settled = await SettleAsync(file.CrateId, hashed, stop).ConfigureAwait(false);
                if (settled is null) Interlocked.Increment(ref inFlight);
                else foreach (var difference in await MendAsync(run, file.CrateId, settled, hashed, stop).ConfigureAwait(false)) differences.Add(difference);
            }).ConfigureAwait(false);
        return new ReconcilePage(page.Count, objects, inFlight, [.. differences.OrderBy(static one => one.CrateId).ThenBy(static one => one.Store, StringComparer.Ordinal)]);
    }

    private async Task<HashSet<long>> SuspectsAsync(List<TrueFile> page, string? tip, CancellationToken cancellationToken)
    {
        var suspects = new ConcurrentDictionary<long, bool>();
        var ids = tip is null ? [.. page.Select(static _ => (string?)null)] : await repository.LookUpAsync(tip, page.ConvertAll(static file => file.Path), cancellationToken).ConfigureAwait(false);
        for (var i = 0; i < page.Count; i++)
        {
            if (ids[i] != (page[i].Content is { } content ? GitBlobId.Of(content) : null)) suspects[page[i].CrateId] = true;
        }

        await Parallel.ForEachAsync(
            page,
            new ParallelOptions { MaxDegreeOfParallelism = workers.SparseConcurrency, CancellationToken = cancellationToken },
            async (file, stop) =>
            {
                var key = StoreKeys.SparseFile(file.Path);
                var equal = file.Content is { } content
                    ? await store.HoldsAsync(key, content, stop).ConfigureAwait(false)
                    : await store.IdentifyAsync(key, stop).ConfigureAwait(false) is null;
                if (!equal) suspects[file.CrateId] = true;
            }).ConfigureAwait(false);
        return [.. suspects.Keys];
    }

    /// <summary>Looks until nothing was on its way while it looked; null: that never was.</summary>
    private async Task<IReadOnlyList<Difference>?> SettleAsync(long crateId, Func<long, bool> hashed, CancellationToken cancellationToken)
    {
        for (var i = 0; i < MostLooks; i++)
        {
            if (i > 0) await Task.Delay(BetweenLooks * i, cancellationToken).ConfigureAwait(false);
            var look = await looks.LookAsync(crateId, inIndexes: true, hashed, cancellationToken).ConfigureAwait(false);
            if (look.IsAtRest) return look.Differences;
        }

        return null;
    }

    private async Task<IEnumerable<Difference>> MendAsync(ReconcileRun run, long crateId, IReadOnlyList<Difference> found, Func<long, bool> hashed, CancellationToken cancellationToken)
    {
        if (!run.Repair || found.Count == 0) return found;
        var recorded = await mending.RecordAsync(crateId, found, cancellationToken).ConfigureAwait(false);
        if (!await mending.RenderAsync(crateId, found, cancellationToken).ConfigureAwait(false) && !recorded) return found;
        var left = await SettleAsync(crateId, hashed, cancellationToken).ConfigureAwait(false) ?? found;
        return found.Select(one => one with { Repaired = !left.Any(other => other.Store == one.Store && other.Kind == one.Kind && other.Num == one.Num) });
    }
}
