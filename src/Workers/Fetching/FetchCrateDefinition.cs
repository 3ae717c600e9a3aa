using MassTransit;

namespace Pipeline.Workers.Fetching;

/// <summary>Queue of the fetcher: a message only begins what is due, so one at a time is enough.</summary>
public sealed class FetchCrateDefinition : ConsumerDefinition<FetchCrateConsumer>
{
    /// <summary>The queue's name, which is also the stage's.</summary>
    public const string Queue = "fetch-crate";

    /// <summary>What failures of the bell itself are filed under; those of a file are under its object key.</summary>
    public const string Key = "files";

    /// <summary>Sets the queue.</summary>
    public FetchCrateDefinition()
    {
        EndpointName = Queue;
        ConcurrentMessageLimit = 1;
    }
}
