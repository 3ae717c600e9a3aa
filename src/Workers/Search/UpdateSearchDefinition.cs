using MassTransit;

namespace Pipeline.Workers.Search;

/// <summary>Queue of the search projection: one batch after the other.</summary>
public sealed class UpdateSearchDefinition : ConsumerDefinition<UpdateSearchConsumer>
{
    /// <summary>The queue's name, which is also the stage's.</summary>
    public const string Queue = "update-search";

    /// <summary>Sets the queue.</summary>
    public UpdateSearchDefinition()
    {
        EndpointName = Queue;
        ConcurrentMessageLimit = 1;
    }
}
