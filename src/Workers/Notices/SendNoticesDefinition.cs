using MassTransit;

namespace Pipeline.Workers.Notices;

/// <summary>Queue of the notices: a message only begins what is due, so one at a time is enough.</summary>
public sealed class SendNoticesDefinition : ConsumerDefinition<SendNoticesConsumer>
{
    /// <summary>The queue's name, which is also the stage's.</summary>
    public const string Queue = "send-notices";

    /// <summary>Sets the queue.</summary>
    public SendNoticesDefinition()
    {
        EndpointName = Queue;
        ConcurrentMessageLimit = 1;
    }
}
