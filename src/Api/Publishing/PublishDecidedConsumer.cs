using MassTransit;
using Pipeline.Contracts.Publishing;

namespace Pipeline.Api.Publishing;

/// <summary>Wakes the PUT that waits for a publish, in whichever API process holds it.</summary>
/// <remarks>
/// Triggered by: <see cref="PublishDecided"/>, fanned out to every API process by its own temporary queue.
/// Produces: nothing durable; the waiting request is answered.
/// Safe to repeat because: a request is answered once.
/// Ordered/locked by: nothing.
/// May run in parallel: yes.
/// </remarks>
public sealed class PublishDecidedConsumer(VerdictWaiters waiters) : IConsumer<PublishDecided>
{
    /// <inheritdoc/>
    public Task Consume(ConsumeContext<PublishDecided> context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return waiters.WakeAsync(context.Message.PublishId).AsTask();
    }
}
