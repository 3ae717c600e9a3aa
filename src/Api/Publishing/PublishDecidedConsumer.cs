using Pipeline.Contracts.Publishing;
using Pipeline.Registry.Bus;
using Pipeline.Registry.Bus.Batches;

namespace Pipeline.Api.Publishing;

/// <summary>Wakes the PUTs that wait for publishes, in whichever API process holds them.</summary>
/// <remarks>
/// Triggered by: <see cref="PublishDecided"/>, fanned out to every API process by its own temporary queue.
/// Produces: nothing durable; the waiting requests are answered.
/// Safe to repeat because: a request is answered once.
/// Ordered/locked by: nothing.
/// May run in parallel: yes.
/// </remarks>
public sealed class PublishDecidedConsumer(VerdictWaiters waiters) : IBatchConsumer<string>
{
    /// <summary>How it batches: each batch is one query.</summary>
    public static readonly Batching Batching = new(4 * JoinedBells.MaxKeys, static _ => 4);

    /// <inheritdoc/>
    public Task ConsumeAsync(StageBatch<string> batch, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(batch);
        return waiters.WakeAsync([.. batch.Items.Select(static item => item.Key)]).AsTask();
    }
}
