using MassTransit;

namespace Pipeline.Workers.Upkeep;

/// <summary>Queue of the staging clean-up: one at a time is enough.</summary>
public sealed class CleanStagingDefinition : ConsumerDefinition<CleanStagingConsumer>
{
    /// <summary>Sets the queue.</summary>
    public CleanStagingDefinition()
    {
        EndpointName = UpkeepSchedules.CleanStaging;
        ConcurrentMessageLimit = 1;
    }
}
