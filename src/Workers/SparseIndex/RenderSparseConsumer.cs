using MassTransit;
using Pipeline.Contracts.Cdn;
using Pipeline.Contracts.Index;
using Pipeline.Registry.Bus;
using Pipeline.Registry.Faults;
using Pipeline.Registry.Telemetry;
using Pipeline.Registry.Truth;

namespace Pipeline.Workers.SparseIndex;

/// <summary>Brings a crate's sparse index file up to the database's revision of it.</summary>
/// <remarks>
/// Triggered by: <see cref="RenderSparse"/>, from publish, yank and deletion, or from the sweep.
/// Produces: the whole index file in the object store, or its removal; what caches must forget, in the transaction that closes the claim.
/// Safe to repeat because: the file is rendered whole from the database and left alone when equal.
/// Ordered/locked by: the durable claim (<see cref="Claims"/>): whoever was overtaken renders again.
/// May run in parallel: yes, also for the same crate.
/// </remarks>
public sealed class RenderSparseConsumer(SparseRenderer renderer, IDoorbell doorbell) : IConsumer<RenderSparse>
{
    /// <inheritdoc/>
    public async Task Consume(ConsumeContext<RenderSparse> context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var run = context.Run();
        var rendered = await renderer.RenderAsync(context.Message.CrateId, run.Continue, context.CancellationToken).ConfigureAwait(false);
        if (!rendered.Found)
        {
            run.Outcome = StageRun.Nothing;
            return;
        }

        if (rendered.Purge) await doorbell.RingAsync(new PurgeCdn()).ConfigureAwait(false);
        FaultPoints.Reach("sparse.closed");
    }
}
