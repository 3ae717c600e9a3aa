using MassTransit;
using Pipeline.Registry.Cdn;

namespace Pipeline.Workers.Cdn;

/// <summary>Queue of the CDN worker.</summary>
public sealed class PurgeCdnDefinition : ConsumerDefinition<PurgeCdnConsumer>
{
    /// <summary>The queue's name, which is also the stage's in traces.</summary>
    public const string Queue = "purge-cdn";

    /// <summary>One more at a time than there are targets: were all of them hanging, each would hold one message at most.</summary>
    public PurgeCdnDefinition(CdnOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        EndpointName = Queue;
        ConcurrentMessageLimit = options.Targets.Count + 1;
    }
}
