using MassTransit;

namespace Pipeline.Workers.Mail;

/// <summary>Queue of the mails to operators: few, so one at a time.</summary>
public sealed class SendMailDefinition : ConsumerDefinition<SendMailConsumer>
{
    /// <summary>The queue's name.</summary>
    public const string Queue = "send-mail";

    /// <summary>Sets the queue.</summary>
    public SendMailDefinition()
    {
        EndpointName = Queue;
        ConcurrentMessageLimit = 1;
    }
}
