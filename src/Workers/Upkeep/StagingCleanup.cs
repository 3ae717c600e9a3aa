using Pipeline.Registry.Database;
using Pipeline.Registry.Store;
using Pipeline.Workers.Manifests;

namespace Pipeline.Workers.Upkeep;

/// <summary>Removes staged bytes that nobody will ask for: of uploads that never got a row, and of publishes that are decided.</summary>
public sealed class StagingCleanup(IDatabase database, IObjectStore store, ParkedCopies parked, TimeProvider clock)
{
    // Longer than a publish's last step takes: what is younger is still at work.
    private const long CopiesAreDroppedWithin = 300 * Microseconds.Second;

    // An upload writes its bytes before its row: younger bytes may still get one.
    private static readonly TimeSpan Grace = TimeSpan.FromHours(1);

    /// <summary>Runs; returns how many objects and parked copies it removed.</summary>
    public async Task<int> RunAsync()
    {
        // Copies in the database whose process died behind the verdict.
        var decidedBefore = await database.ReadAsync(static sql => sql.NowAsync()).ConfigureAwait(false) - CopiesAreDroppedWithin;
        var removed = await parked.WriteAgainAsync(decidedBefore, CancellationToken.None).ConfigureAwait(false);
        // Staged bytes may stand for final ones that are not synced yet.
        await store.SyncAsync().ConfigureAwait(false);
        var now = clock.GetUtcNow();
        await foreach (var staged in store.ListAsync(StoreKeys.Staging).ConfigureAwait(false))
        {
            var id = Path.GetFileNameWithoutExtension(staged.Key);
            var undecided = await database.ReadAsync(sql => sql.LongAsync("SELECT CASE WHEN decided_at IS NULL THEN 1 ELSE 0 END FROM publishes WHERE id = $1", id)).ConfigureAwait(false);
            if (undecided == 1 || (undecided is null && now - staged.ModifiedAt < Grace)) continue;
            await store.DeleteAsync(staged.Key).ConfigureAwait(false);
            removed++;
        }

        return removed;
    }
}
