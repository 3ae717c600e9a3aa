using Pipeline.Contracts.Index;
using Pipeline.Contracts.Notices;
using Pipeline.Contracts.Search;
using Pipeline.Contracts.Upkeep;
using Pipeline.Registry.Bus;

namespace Pipeline.Registry.Truth;

/// <summary>The bells that follow a committed change of a crate.</summary>
public static class Bells
{
    /// <summary>Rings every projection after a change that is no publish: a yank, owners, a deletion.</summary>
    public static async ValueTask RingChangedAsync(this IDoorbell doorbell, Revised revised)
    {
        await doorbell.RingAsync(new RenderSparse(revised.CrateId)).ConfigureAwait(false);
        await doorbell.RingAsync(new CommitIndex()).ConfigureAwait(false);
        await doorbell.RingAsync(new RecordCrate(revised.CrateId)).ConfigureAwait(false);
        await doorbell.RingFollowersAsync().ConfigureAwait(false);
    }

    /// <summary>Rings those who follow the change feed.</summary>
    public static async ValueTask RingFollowersAsync(this IDoorbell doorbell)
    {
        await doorbell.RingAsync(new UpdateSearch()).ConfigureAwait(false);
        await doorbell.RingAsync(new SendNotices()).ConfigureAwait(false);
    }

    /// <summary>Rings every projection and then the removal of bytes, after a deletion.</summary>
    public static async ValueTask RingDeletedAsync(this IDoorbell doorbell, Revised revised)
    {
        await doorbell.RingChangedAsync(revised).ConfigureAwait(false);
        await doorbell.RingAsync(new DeleteBytes(revised.CrateId)).ConfigureAwait(false);
    }
}
