using Pipeline.Contracts.Index;
using Pipeline.Registry.Bus;

namespace Pipeline.Workers.Upstream;

/// <summary>The bells behind a committed batch: one for the git index, and as many for the sparse index as it has room for; the rest is the sweep's.</summary>
public sealed class SyncBells(IDoorbell doorbell)
{
    /// <summary>Rings.</summary>
    /// <param name="crateIds">The rows whose projections lag.</param>
    public async ValueTask RingAsync(IReadOnlyList<long> crateIds)
    {
        ArgumentNullException.ThrowIfNull(crateIds);
        if (crateIds.Count == 0) return;
        await doorbell.RingAsync(new CommitIndex()).ConfigureAwait(false);
        foreach (var id in crateIds)
        {
            if (!doorbell.HasRoom<RenderSparse>()) return;
            await doorbell.RingAsync(new RenderSparse(id)).ConfigureAwait(false);
        }
    }
}
