using System.Runtime.CompilerServices;
using Pipeline.Contracts;
using Pipeline.Contracts.Upkeep;
using Pipeline.Registry.Database;
using Pipeline.Registry.Store;
using Pipeline.Registry.Truth;
using Pipeline.Workers.Records;

namespace Pipeline.Workers.Reconciliation;

/// <summary>Finds objects that the database does not name: bytes of nobody, records of versions it has lost, forgotten uploads.</summary>
public sealed class StrayObjects(IDatabase database, IObjectStore store, Mending mending, LostVersions lostVersions, TimeProvider clock)
{
    private static readonly string NamedSql =
        "SELECT v.object_key, v.state = 'active', EXISTS (SELECT 1 FROM deletions d WHERE d.version_id = v.id AND d.done_at IS NULL) FROM versions v WHERE v.object_key IN ";

    /// <summary>Crate files.</summary>
    public IReconcilePhase Bytes => new Phase("bytes", run => BytesAsync(run));

    /// <summary>Records.</summary>
    public IReconcilePhase Records => new Phase("records", _ => RecordsAsync());

    /// <summary>Uploads.</summary>
    public IReconcilePhase Staging => new Phase("staging", run => StagingAsync(run));

    private async IAsyncEnumerable<ReconcilePage> BytesAsync(ReconcileRun run, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await foreach (var page in Batches.OfAsync(store.ListAsync(StoreKeys.Crates, cancellationToken), cancellationToken).ConfigureAwait(false))
        {
            // Younger ones may still get a name: they need no question.
            var old = page.FindAll(entry => Age(entry) >= ObjectRules.KeptAtLeast);
            var named = await NamedAsync(old, cancellationToken).ConfigureAwait(false);
            var differences = new List<Difference>();
            foreach (var entry in old.Where(entry => !named.Contains(entry.Key)))
            {
                if (await LookAsync(entry, cancellationToken).ConfigureAwait(false) is not { } difference) continue;
                differences.Add(run.Repair && difference is { Name: { } name, Num: { } num }
                    ? difference with { Repaired = await mending.RemoveBytesAsync(entry.Key, name, num, cancellationToken).ConfigureAwait(false) }
                    : difference);
            }

            yield return new ReconcilePage(0, page.Count, 0, differences);
        }
    }

    private async Task<Difference?> LookAsync(ObjectEntry entry, CancellationToken cancellationToken)
    {
        if (ReadKey(entry.Key) is not var (name, num) || !CrateVersion.TryParse(num, out var version))
            return new Difference(DifferenceKind.BytesOrphaned, "objects", null, null, null, entry.Key, "no key that a version can have");
        var canonical = CanonicalName.Of(name).Text;
        // What is mirrored is fetched again when it is asked for: its bytes are the mirror's to keep or drop.
        var mirrored = await database.ReadAsync(
            sql => sql.LongAsync("SELECT 1 FROM crates WHERE namespace = '' AND served AND canonical = $1 AND source <> 'local'", canonical), cancellationToken).ConfigureAwait(false) is not null;
        if (mirrored) return null;
        var reserved = await database.ReadAsync(
            sql => sql.LongAsync("SELECT 1 FROM reservations WHERE namespace = '' AND source = 'local' AND canonical = $1 AND num_no_build = $2", canonical, version.WithoutBuild),
            cancellationToken).ConfigureAwait(false) is not null;
        var lost = await lostVersions.HasAsync(name, num, cancellationToken).ConfigureAwait(false);
        // Asked last: a version that was recorded meanwhile names them now.
        var named = (await NamedAsync([entry], cancellationToken).ConfigureAwait(false)).Contains(entry.Key);
        return ObjectRules.Of(new SeenBytes(named, Going: false, reserved, lost, Age(entry))) is { } kind ? new Difference(kind, "objects", null, name, num, entry.Key, $"{entry.Length} bytes") : null;
    }

    private async IAsyncEnumerable<ReconcilePage> RecordsAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await foreach (var page in Batches.OfAsync(store.ListAsync(StoreKeys.Records, cancellationToken), cancellationToken).ConfigureAwait(false))
        {
            var records = page.Select(static entry => (entry.Key, Record: LostVersions.ReadKey(entry.Key))).ToList();
            var publishes = await KnownPublishesAsync(records.Select(static one => one.Record?.PublishId).OfType<string>(), cancellationToken).ConfigureAwait(false);
            var differences = new List<Difference>();
            foreach (var (key, record) in records)
            {
                if (record is null || publishes.Contains(record.PublishId) || await lostVersions.IsKnownAsync(record, cancellationToken).ConfigureAwait(false)) continue;
                differences.Add(new Difference(DifferenceKind.VersionMissing, "records", null, record.Name, record.Num, key, "the database has lost it: run recover"));
            }

            yield return new ReconcilePage(0, page.Count, 0, differences);
        }
    }

    private async IAsyncEnumerable<ReconcilePage> StagingAsync(ReconcileRun run, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await foreach (var page in Batches.OfAsync(store.ListAsync(StoreKeys.Staging, cancellationToken), cancellationToken).ConfigureAwait(false))
        {
            var differences = new List<Difference>();
            foreach (var entry in page)
            {
                var id = Path.GetFileNameWithoutExtension(entry.Key);
                var waiting = await database.ReadAsync(sql => sql.LongAsync("SELECT 1 FROM publishes WHERE id = $1 AND decided_at IS NULL", id), cancellationToken).ConfigureAwait(false) is not null;
                if (ObjectRules.Of(new SeenStaged(waiting, Age(entry))) is not { } kind) continue;
                if (run.Repair) await store.DeleteAsync(entry.Key, cancellationToken).ConfigureAwait(false);
                differences.Add(new Difference(kind, "staging", null, null, null, entry.Key, $"{entry.Length} bytes", run.Repair));
            }

            yield return new ReconcilePage(0, page.Count, 0, differences);
        }
    }

    // The keys that an active version names, or whose deletion is under way.
    private async Task<HashSet<string>> NamedAsync(List<ObjectEntry> entries, CancellationToken cancellationToken)
    {
        if (entries.Count == 0) return [];
        var keys = Batches.Json(entries.Select(static entry => entry.Key));
        var rows = await database.ReadAsync(
            sql => sql.QueryAsync($"{NamedSql}{sql.Dialect.TextList("$1")}", static row => (Key: row.Text(0), Held: row.Bool(1) || row.Bool(2)), keys), cancellationToken).ConfigureAwait(false);
        return rows.Where(static row => row.Held).Select(static row => row.Key).ToHashSet(StringComparer.Ordinal);
    }

    private async Task<HashSet<string>> KnownPublishesAsync(IEnumerable<string> ids, CancellationToken cancellationToken)
    {
        var list = Batches.Json(ids);
        var known = await database.ReadAsync(
            sql => sql.QueryAsync($"SELECT id FROM publishes WHERE id IN {sql.Dialect.TextList("$1")}", static row => row.Text(0), list), cancellationToken).ConfigureAwait(false);
        return known.ToHashSet(StringComparer.Ordinal);
    }

    private TimeSpan Age(ObjectEntry entry) => clock.GetUtcNow() - entry.ModifiedAt;

    /// <summary>Reads <c>crates/{name}/{name}-{version}.crate</c>.</summary>
    private static (string Name, string Num)? ReadKey(string key)
    {
        const string ending = ".crate";
        return key.Split('/') is [_, var name, var file] && file.StartsWith(name + "-", StringComparison.Ordinal) && file.EndsWith(ending, StringComparison.Ordinal)
            && file.Length > name.Length + 1 + ending.Length
            ? (name, file[(name.Length + 1)..^ending.Length])
            : null;
    }
}
