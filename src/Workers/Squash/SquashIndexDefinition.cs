using MassTransit;
using Pipeline.Workers.Upkeep;

namespace Pipeline.Workers.Squash;

/// <summary>Queue of the squash: one at a time.</summary>
public sealed class SquashIndexDefinition : ConsumerDefinition<SquashIndexConsumer>
{
    /// <summary>Sets the queue.</summary>
    public SquashIndexDefinition()
    {
        EndpointName = UpkeepSchedules.SquashIndex;
        ConcurrentMessageLimit = 1;
    }
}
