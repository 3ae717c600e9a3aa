using System.Runtime.CompilerServices;
using Pipeline.Contracts.Cdn;
using Pipeline.Contracts.Index;
using Pipeline.Contracts.Upkeep;
using Pipeline.Registry.Bus;
using Pipeline.Registry.Cdn;
using Pipeline.Registry.Database;
using Pipeline.Registry.Schedules;
using Pipeline.Registry.Store;
using Pipeline.Registry.Truth;
using Pipeline.Workers.Cdn;

namespace Pipeline.Workers.Reconciliation;

/// <summary>Looks at a sample of the index files through each cache: other crates in each run.</summary>
public sealed class ServedCopies(IDatabase database, CdnOptions cdn, CacheLooks looks, CrateLooks crates, Purges purges, IDoorbell doorbell, ScheduleOptions options) : IReconcilePhase
{
    private const string SampleSql =
        """
        SELECT id, name FROM crates WHERE namespace = '' AND served AND state = 'active' AND id % $1 = $2 % $1 ORDER BY id LIMIT $3
        """;

    /// <inheritdoc/>
    public string Name => "caches";

    /// <inheritdoc/>
    public async IAsyncEnumerable<(ReconcilePage Page, string? Next)> PagesAsync(ReconcileRun run, string? position, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(run);
        if (options.ReconcileCacheSample <= 0) yield break;
        var highest = cdn.Targets.Count == 0 ? 0 : await database.ReadAsync(static sql => sql.LongAsync("SELECT MAX(id) FROM crates"), cancellationToken).ConfigureAwait(false) ?? 0;
        var stride = Math.Max(1, (highest + options.ReconcileCacheSample - 1) / options.ReconcileCacheSample);
        foreach (var target in cdn.Targets.Where(static target => target.IndexUrls.Count > 0))
        {
            var sample = await database.ReadAsync(
                sql => sql.QueryAsync(SampleSql, static row => (Id: row.Long(0), Name: row.Text(1)), stride, run.Id, (long)options.ReconcileCacheSample), cancellationToken).ConfigureAwait(false);
            var differences = new List<Difference>();
            foreach (var (id, name) in sample)
            {
                if (await LookAsync(target, id, name, cancellationToken).ConfigureAwait(false) is { } difference)
                    differences.Add(run.Repair ? await PurgeAsync(difference, cancellationToken).ConfigureAwait(false) : difference);
            }

            yield return (new ReconcilePage(0, sample.Count, 0, differences), null);
        }
    }

    private async Task<Difference?> LookAsync(CdnTarget target, long crateId, string name, CancellationToken cancellationToken)
    {
        var path = IndexPath.Of(name);
        var before = await crates.StateAsync(crateId, cancellationToken).ConfigureAwait(false);
        if (before is not { IsAtRest: true } || await IsOnItsWayAsync(crateId, target, cancellationToken).ConfigureAwait(false)) return null;
        var seen = await looks.LookAsync(target, new PurgeItem(0, PurgeScope.Url, StoreKeys.SparseFile(path), Hard: true), cancellationToken).ConfigureAwait(false);
        if (seen != Seen.Old || await IsOnItsWayAsync(crateId, target, cancellationToken).ConfigureAwait(false)) return null;
        return await crates.StateAsync(crateId, cancellationToken).ConfigureAwait(false) == before
            ? new Difference(DifferenceKind.CdnStale, $"cdn/{target.Name}", crateId, name, null, path, null)
            : null;
    }

    private async Task<bool> IsOnItsWayAsync(long crateId, CdnTarget target, CancellationToken cancellationToken) => await database.ReadAsync(
        sql => sql.LongAsync("SELECT 1 FROM purges WHERE crate_id = $1 AND target = $2 AND confirmed_at IS NULL LIMIT 1", crateId, target.Name), cancellationToken).ConfigureAwait(false) is not null;

    // Ordered, not yet confirmed: that is the purger's, and shows as lag.
    private async Task<Difference> PurgeAsync(Difference difference, CancellationToken cancellationToken)
    {
        if (await database.WriteAsync(sql => purges.OfIndexFileAsync(sql, new PurgedCrate(difference.CrateId!.Value), difference.Object!, PurgeCauses.First), cancellationToken).ConfigureAwait(false))
            await doorbell.RingAsync(new PurgeCdn()).ConfigureAwait(false);
        return difference with { Repaired = true, Detail = "purged again" };
    }
}
