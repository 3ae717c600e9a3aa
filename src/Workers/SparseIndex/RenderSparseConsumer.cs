using Pipeline.Contracts.Cdn;
using Pipeline.Contracts.Index;
using Pipeline.Registry.Bus;
using Pipeline.Registry.Bus.Batches;
using Pipeline.Registry.Telemetry;
using Pipeline.Registry.Truth;

namespace Pipeline.Workers.SparseIndex;

/// <summary>Brings the sparse index files of crates up to the database's revisions of them.</summary>
/// <remarks>
/// Triggered by: <see cref="RenderSparse"/>, from publish, yank and deletion, or from the sweep.
/// Produces: whole index files in the object store, or their removal; what caches must forget, in the transaction that closes the claims.
/// Safe to repeat because: a file is rendered whole from the database and left alone when equal.
/// Ordered/locked by: the durable claim (<see cref="Claims"/>): whoever was overtaken renders again.
/// May run in parallel: yes, also for the same crate.
/// </remarks>
public sealed class RenderSparseConsumer(SparseRenderer renderer, IDoorbell doorbell) : IBatchConsumer<long>
{
    /// <inheritdoc/>
    public async Task ConsumeAsync(StageBatch<long> batch, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(batch);
        var crates = batch.Items.Select(static item => new Rendering(item.Key, item.Continue)).ToList();
        await renderer.RenderAsync(crates, forced: false, batch.LetNextBegin, cancellationToken).ConfigureAwait(false);
        for (var i = 0; i < crates.Count; i++)
        {
            if (crates[i].Failure is { } failure) batch.Items[i].Fail(failure);
            else if (!crates[i].IsFound) batch.Items[i].Outcome = StageRun.Nothing;
        }

        if (crates.Exists(static one => one.Purge)) await doorbell.RingAsync(new PurgeCdn()).ConfigureAwait(false);
    }
}
