using MassTransit;

namespace Pipeline.Registry.Bus.Batches;

/// <summary>The bus's side of a batch stage: hands each message to the stage's inbox and is done when its keys are.</summary>
public sealed class Batched<TBell, TKey>(BatchInbox<TBell, TKey> inbox) : IConsumer<TBell>
    where TBell : class
    where TKey : notnull
{
    /// <inheritdoc/>
    public Task Consume(ConsumeContext<TBell> context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return inbox.WorkAsync(context.Message);
    }
}
