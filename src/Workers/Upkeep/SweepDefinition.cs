using MassTransit;

namespace Pipeline.Workers.Upkeep;

/// <summary>Queue of the sweep: one at a time is enough.</summary>
public sealed class SweepDefinition : ConsumerDefinition<SweepConsumer>
{
    /// <summary>Sets the queue.</summary>
    public SweepDefinition()
    {
        EndpointName = "sweep";
        ConcurrentMessageLimit = 1;
    }
}
