using MassTransit;
using Pipeline.Registry.Options;

namespace Pipeline.Workers.Tarballs;

/// <summary>Queue and concurrency of the tarball stage: bound by CPU, so a few at once.</summary>
public sealed class ValidateTarballDefinition : ConsumerDefinition<ValidateTarballConsumer>
{
    /// <summary>Reads the concurrency from the configuration.</summary>
    public ValidateTarballDefinition(WorkerOptions options)
    {
        EndpointName = "validate-tarball";
        ConcurrentMessageLimit = options.TarballConcurrency;
    }
}
