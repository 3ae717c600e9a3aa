using Pipeline.Registry.Database;
using Pipeline.Registry.Store;

namespace Pipeline.Workers.Upkeep;

/// <summary>Removes staged bytes that nobody will ask for: of uploads that never got a row, and of publishes that are decided.</summary>
public sealed class StagingCleanup(IDatabase database, IObjectStore store, TimeProvider clock)
{
    // An upload writes its bytes before its row: younger bytes may still get one.
    private static readonly TimeSpan Grace = TimeSpan.FromHours(1);

    /// <summary>Runs; returns how many objects it removed.</summary>
    public async Task<int> RunAsync()
    {
        var now = clock.GetUtcNow();
        var removed = 0;
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
