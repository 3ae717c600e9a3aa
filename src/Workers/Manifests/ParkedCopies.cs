using Pipeline.Contracts;
using Pipeline.Registry.Database;
using Pipeline.Registry.Faults;
using Pipeline.Registry.Store;
using Pipeline.Registry.Truth;

namespace Pipeline.Workers.Manifests;

/// <summary>
/// The parked copies of publishes that are accepted. Each stays until the files that stand for it are durable (design, law 3), so that a power
/// cut at any moment loses nothing: whoever starts afterwards writes those files again.
/// </summary>
public sealed class ParkedCopies(IDatabase database, IObjectStore store)
{
    private const int Page = 100;

    private readonly JoinedWrites<List<string>, int> _drops = new(database, DropAllAsync);

    /// <summary>Drops the copies of publishes whose files were written before this call.</summary>
    public async Task DropAsync(IReadOnlyList<PublishRow> accepted)
    {
        ArgumentNullException.ThrowIfNull(accepted);
        if (accepted.Count == 0) return;
        if (!PlantedBugs.DropBeforeSync) await store.SyncAsync().ConfigureAwait(false);
        FaultPoints.Reach("manifest.synced");
        foreach (var publish in accepted.Where(static publish => publish.Body is null)) await store.DeleteAsync(publish.StagingKey).ConfigureAwait(false);
        // Where the store is durable at once, the version's own transaction has dropped it.
        var bodies = accepted.Where(static publish => publish.Body is not null).Select(static publish => publish.Id).ToList();
        if (bodies.Count > 0 && !store.IsDurableAtOnce) await _drops.WriteAsync(bodies).ConfigureAwait(false);
        FaultPoints.Reach("manifest.dropped");
    }

    /// <summary>
    /// Writes the files of accepted publishes again whose copies still stand, and drops those: at the start, when nobody knows what of the files
    /// a power cut has left, and now and then for what a process left that died.
    /// </summary>
    /// <param name="decidedBefore">Only of publishes decided before this time, microseconds: younger ones are still at work.</param>
    /// <param name="cancellationToken">Ends it between two pages.</param>
    /// <returns>How many there were.</returns>
    public async Task<int> WriteAgainAsync(long decidedBefore, CancellationToken cancellationToken)
    {
        var count = 0;
        for (var after = ""; ;)
        {
            var from = after;
            var page = await database.ReadAsync(sql => ReadPageAsync(sql, from, decidedBefore), cancellationToken).ConfigureAwait(false);
            if (page.Count == 0) return count;
            foreach (var copy in page.Where(static copy => copy.Body is not null)) await WriteAgainAsync(copy, cancellationToken).ConfigureAwait(false);
            await store.SyncAsync(cancellationToken).ConfigureAwait(false);
            await database.WriteAsync(sql => Publishes.DropBodiesAsync(sql, page.Select(static copy => copy.PublishId)), cancellationToken).ConfigureAwait(false);
            count += page.Count;
            after = page[^1].PublishId;
        }
    }

    private static async ValueTask<IReadOnlyList<int>> DropAllAsync(Statements sql, IReadOnlyList<List<string>> drops)
    {
        await Publishes.DropBodiesAsync(sql, drops.SelectMany(static ids => ids)).ConfigureAwait(false);
        return new int[drops.Count];
    }

    private async Task WriteAgainAsync(Copy copy, CancellationToken cancellationToken)
    {
        // What stands there may look whole and not be: it is written anew whatever it looks like. These bytes are the version's, and nobody's else.
        var staged = new StagedBytes("", copy.Body!.Length, Checksum.Parse(copy.Checksum), copy.Body);
        await store.PromoteAsync(staged, copy.ObjectKey, replace: true, cancellationToken).ConfigureAwait(false);
        var record = await database.ReadAsync(sql => VersionRecord.ReadAsync(sql, copy.CrateId, copy.Num), cancellationToken).ConfigureAwait(false);
        if (record is not null) await store.PutUnsyncedAsync(StoreKeys.Record(copy.Name, copy.Num, copy.PublishId), record, cancellationToken).ConfigureAwait(false);
    }

    // The bytes of a version that was deleted since are not wanted any more: their copy is only dropped.
    private static ValueTask<List<Copy>> ReadPageAsync(Statements sql, string after, long decidedBefore) => sql.QueryAsync(
        """
        SELECT p.id, p.name, p.num, v.checksum, COALESCE(v.object_key, ''), COALESCE(v.crate_id, 0),
            CASE WHEN v.state = 'active' AND v.publish_id = p.id THEN b.body END
        FROM staged_bodies b JOIN publishes p ON p.id = b.publish_id LEFT JOIN versions v ON v.id = p.version_id
        WHERE b.publish_id > $1 AND p.decided_at < $2 ORDER BY b.publish_id LIMIT $3
        """,
        static row => new Copy(row.Text(0), row.Text(1), row.Text(2), row.TextOrNull(3) ?? "", row.Text(4), row.Long(5), row.BytesOrNull(6)),
        after, decidedBefore, (long)Page);

    private sealed record Copy(string PublishId, string Name, string Num, string Checksum, string ObjectKey, long CrateId, byte[]? Body);
}
