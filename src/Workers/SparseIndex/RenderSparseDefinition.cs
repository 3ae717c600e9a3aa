using MassTransit;
using Pipeline.Registry.Options;

namespace Pipeline.Workers.SparseIndex;

/// <summary>Queue and concurrency of the sparse renderer: bound by commits and the object store.</summary>
public sealed class RenderSparseDefinition : ConsumerDefinition<RenderSparseConsumer>
{
    /// <summary>Reads the concurrency from the configuration.</summary>
    public RenderSparseDefinition(WorkerOptions options)
    {
        EndpointName = "render-sparse";
        ConcurrentMessageLimit = options.SparseConcurrency;
    }
}
