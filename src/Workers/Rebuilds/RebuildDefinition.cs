using MassTransit;

namespace Pipeline.Workers.Rebuilds;

/// <summary>Queue of rebuilds: one at a time.</summary>
public sealed class RebuildDefinition : ConsumerDefinition<RebuildConsumer>
{
    /// <summary>Sets the queue.</summary>
    public RebuildDefinition()
    {
        EndpointName = "rebuild";
        ConcurrentMessageLimit = 1;
    }
}
