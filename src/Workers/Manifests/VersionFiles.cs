using Pipeline.Registry.Database;
using Pipeline.Registry.Faults;
using Pipeline.Registry.Store;
using Pipeline.Registry.Truth;
using Pipeline.Workers.Records;

namespace Pipeline.Workers.Manifests;

/// <summary>Step 2 of reserve, store, record: the bytes at their final key and the record beside them. Durable with the store's next sync.</summary>
public sealed class VersionFiles(IDatabase database, IObjectStore store, LostVersions lostVersions)
{
    /// <summary>Stores. False: the publish was decided by somebody else meanwhile, or lost its reservation.</summary>
    /// <param name="version">The version.</param>
    /// <param name="fence">The fence of the reservation.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task<bool> TryStoreAsync(VersionFacts version, long fence, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(version);
        var publish = version.Publish;
        try
        {
            // Other bytes already there that no version names are the reservation holder's to replace; whoever lost the fence must not touch them.
            if (!await store.PromoteAsync(publish.Staged, version.ObjectKey, replace: false, cancellationToken).ConfigureAwait(false))
            {
                if (!await database.ReadAsync(sql => Reservation.IsHeldAsync(sql, publish.Id, fence), cancellationToken).ConfigureAwait(false)) return false;
                // No number is given twice, also not by who started on an older backup without `recover`.
                if (await lostVersions.HasAsync(publish.Name, publish.Num, cancellationToken).ConfigureAwait(false)) throw new LostVersionException(publish.Name, publish.Num);
                await store.PromoteAsync(publish.Staged, version.ObjectKey, replace: true, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (FileNotFoundException)
        {
            // The other run of this publish was faster and has cleared the staging; the next reservation attempt sees its verdict.
            var now = await database.ReadAsync(sql => Publishes.FindAsync(sql, publish.Id), cancellationToken).ConfigureAwait(false);
            if (now?.State != PublishStates.Checked) return false;
            throw;
        }

        FaultPoints.Reach("manifest.stored");
        await store.CreateUnsyncedAsync(StoreKeys.Record(publish.Name, publish.Num, publish.Id), VersionRecord.Render(version), cancellationToken).ConfigureAwait(false);
        FaultPoints.Reach("manifest.noted");
        return true;
    }

    /// <summary>Removes the record of a publish that is refused after all: one that stays would be taken for an accepted version's.</summary>
    public ValueTask ForgetAsync(PublishRow publish)
    {
        ArgumentNullException.ThrowIfNull(publish);
        return store.DeleteAsync(StoreKeys.Record(publish.Name, publish.Num, publish.Id));
    }
}
