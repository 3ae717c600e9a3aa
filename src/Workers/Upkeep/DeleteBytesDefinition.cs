using MassTransit;

namespace Pipeline.Workers.Upkeep;

/// <summary>Queue of the removal of bytes: nobody waits for it.</summary>
public sealed class DeleteBytesDefinition : ConsumerDefinition<DeleteBytesConsumer>
{
    /// <summary>Sets the queue.</summary>
    public DeleteBytesDefinition()
    {
        EndpointName = "delete-bytes";
        ConcurrentMessageLimit = 2;
    }
}
