using MassTransit;

namespace Pipeline.Workers.Records;

/// <summary>Queue of the crates' records: such changes are few.</summary>
public sealed class RecordCrateDefinition : ConsumerDefinition<RecordCrateConsumer>
{
    /// <summary>Sets the queue.</summary>
    public RecordCrateDefinition()
    {
        EndpointName = "record-crate";
        ConcurrentMessageLimit = 2;
    }
}
