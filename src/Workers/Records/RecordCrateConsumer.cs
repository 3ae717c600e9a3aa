using MassTransit;
using Pipeline.Contracts.Upkeep;
using Pipeline.Registry.Database;
using Pipeline.Registry.Store;
using Pipeline.Registry.Telemetry;

namespace Pipeline.Workers.Records;

/// <summary>Writes beside the bytes what only the database knows of a crate, so that it outlives the database (design, law 1 and "Recovery").</summary>
/// <remarks>
/// Triggered by: <see cref="RecordCrate"/>, from a yank, an owner change or a deletion, or from the sweep.
/// Produces: the record of the crate's revision in the object store, and how far its record projection has got.
/// Safe to repeat because: each revision has its own key, written once and never over.
/// Ordered/locked by: nothing; the highest revision counts, whenever it was written.
/// May run in parallel: yes, also for the same crate.
/// </remarks>
public sealed class RecordCrateConsumer(IDatabase database, IObjectStore store) : IConsumer<RecordCrate>
{
    // As Claims notes it, without a claim: nothing outside is written over.
    private const string ReachedSql =
        """
        UPDATE projections SET reached = $2, reached_at = now_us(), attempts = 0, last_error = NULL, next_try_at = NULL,
            first_change = CASE WHEN $2 >= wanted THEN first_change ELSE COALESCE((SELECT MIN(id) FROM changes WHERE crate_id = $1 AND id >= first_change AND revision > $2), first_change) END,
            behind_since = CASE WHEN $2 >= wanted THEN NULL ELSE behind_since END
        WHERE crate_id = $1 AND kind = 'record' AND target = '' AND reached < $2
        """;

    /// <inheritdoc/>
    public async Task Consume(ConsumeContext<RecordCrate> context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var (run, crateId) = (context.Run(), context.Message.CrateId);
        var lacking = await database.ReadAsync(
            sql => sql.LongAsync("SELECT 1 FROM projections WHERE crate_id = $1 AND kind = 'record' AND target = '' AND reached < wanted", crateId), context.CancellationToken).ConfigureAwait(false);
        if (lacking is null)
        {
            run.Outcome = StageRun.Nothing;
            return;
        }

        var record = await database.ReadAsync(sql => CrateRecord.ReadAsync(sql, crateId), context.CancellationToken).ConfigureAwait(false)
            ?? throw new InvalidOperationException($"crate {crateId} has a projection but no row");
        var bytes = record.Render();
        using var content = new MemoryStream(bytes, writable: false);
        await store.CreateAsync(StoreKeys.CrateRecord(record.Name, record.Revision), content, bytes.Length, context.CancellationToken).ConfigureAwait(false);
        await database.WriteAsync(sql => sql.ExecuteAsync(ReachedSql, crateId, record.Revision)).ConfigureAwait(false);
    }
}
