using MassTransit;

namespace Pipeline.Workers.Reconciliation;

/// <summary>Queue of reconcile: one run at a time.</summary>
public sealed class ReconcileDefinition : ConsumerDefinition<ReconcileConsumer>
{
    /// <summary>The queue's name, which is that of its schedule.</summary>
    public const string Queue = "reconcile";

    /// <summary>Sets the queue.</summary>
    public ReconcileDefinition()
    {
        EndpointName = Queue;
        ConcurrentMessageLimit = 1;
    }
}
