using MassTransit;
using Pipeline.Registry.Options;

namespace Pipeline.Workers.Manifests;

/// <summary>Queue and concurrency of the manifest stage: it mostly waits for commits, so many at once share one fsync.</summary>
public sealed class ReadManifestDefinition : ConsumerDefinition<ReadManifestConsumer>
{
    /// <summary>Reads the concurrency from the configuration.</summary>
    public ReadManifestDefinition(WorkerOptions options)
    {
        EndpointName = "read-manifest";
        ConcurrentMessageLimit = options.ManifestConcurrency;
    }
}
