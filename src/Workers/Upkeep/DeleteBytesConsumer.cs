using MassTransit;
using Pipeline.Contracts.Cdn;
using Pipeline.Contracts.Upkeep;
using Pipeline.Registry.Bus;
using Pipeline.Registry.Database;
using Pipeline.Registry.Store;
using Pipeline.Registry.Telemetry;
using Pipeline.Registry.Truth;

namespace Pipeline.Workers.Upkeep;

/// <summary>Removes the bytes of deleted versions, last of all: every serving projection has passed the deletion, and caches were purged (design, law 5).</summary>
/// <remarks>
/// Triggered by: <see cref="DeleteBytes"/>, from a deletion or the sweep.
/// Produces: free object keys; a last purge of the file, which caches may have fetched again meanwhile.
/// Safe to repeat because: a key is removed only while no version that is served names it, under the version's reservation.
/// Ordered/locked by: the reservation of (crate, version number), which keeps a publish of the same number away meanwhile.
/// May run in parallel: yes.
/// </remarks>
public sealed class DeleteBytesConsumer(IDatabase database, IObjectStore store, Purges purges, IDoorbell doorbell) : IConsumer<DeleteBytes>
{
    /// <inheritdoc/>
    public async Task Consume(ConsumeContext<DeleteBytes> context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var (about, purge) = (new PurgedCrate(context.Message.CrateId, Tracing.Current()), false);
        foreach (var deletion in await database.ReadAsync(sql => DueAsync(sql, context.Message.CrateId), context.CancellationToken).ConfigureAwait(false))
        {
            var holder = $"delete:{deletion.Id}";
            switch (await database.WriteAsync(sql => ReserveAsync(sql, deletion, holder)).ConfigureAwait(false))
            {
                case Step.Busy:
                    continue; // A publish of the same number is at work; the sweep comes back.
                case Step.Delete:
                    await store.DeleteAsync(deletion.ObjectKey).ConfigureAwait(false);
                    break;
            }

            purge |= await database.WriteAsync(async sql =>
            {
                await sql.ExecuteAsync("DELETE FROM reservations WHERE holder = $1", holder).ConfigureAwait(false);
                await sql.ExecuteAsync("UPDATE deletions SET done_at = now_us() WHERE id = $1", deletion.Id).ConfigureAwait(false);
                // Also when the bytes stay: then a version served now has put other bytes under the key.
                return await purges.OfCrateFileAsync(sql, about, deletion.ObjectKey).ConfigureAwait(false);
            }).ConfigureAwait(false);
        }

        if (purge) await doorbell.RingAsync(new PurgeCdn()).ConfigureAwait(false);
    }

    private async ValueTask<List<Deletion>> DueAsync(Statements sql, long crateId)
    {
        var due = await sql.QueryAsync(
            """
            SELECT d.id, d.object_key, c.canonical, v.num_no_build FROM deletions d JOIN crates c ON c.id = d.crate_id JOIN versions v ON v.id = d.version_id
            WHERE d.crate_id = $1 AND d.done_at IS NULL AND NOT EXISTS (SELECT 1 FROM projections p WHERE p.crate_id = COALESCE((SELECT c.place_id FROM crates c WHERE c.id = $1), $1) AND p.reached < d.revision)
            ORDER BY d.id
            """,
            static row => new Deletion(row.Long(0), row.Text(1), row.Text(2), row.Text(3)), crateId).ConfigureAwait(false);
        // Asked second: the purges were written together with the projection's state that was just read.
        return due.Count > 0 && await purges.AnyOpenAsync(sql, crateId).ConfigureAwait(false) ? [] : due;
    }

    private static async ValueTask<Step> ReserveAsync(Statements sql, Deletion deletion, string holder)
    {
        var fence = await sql.LongAsync(
            """
            INSERT INTO reservations (namespace, source, canonical, num_no_build, holder, fence, reserved_at) VALUES ('', 'local', $1, $2, $3, 1, now_us())
            ON CONFLICT (namespace, source, canonical, num_no_build) DO UPDATE SET fence = reservations.fence + 1 WHERE reservations.holder = excluded.holder
            RETURNING fence
            """,
            deletion.Canonical, deletion.NumNoBuild, holder).ConfigureAwait(false);
        if (fence is null) return Step.Busy;
        var named = await sql.LongAsync("SELECT 1 FROM versions WHERE object_key = $1 AND state = 'active' LIMIT 1", deletion.ObjectKey).ConfigureAwait(false);
        return named is null ? Step.Delete : Step.Keep;
    }

    private enum Step
    {
        Busy,
        Keep,
        Delete,
    }

    private sealed record Deletion(long Id, string ObjectKey, string Canonical, string NumNoBuild);
}
