using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Pipeline.Registry.Failures;
using RabbitMQ.Client;

namespace Pipeline.Registry.Bus.RabbitMq;

/// <summary>
/// Moves what the bus put aside into the table of failures: <c>…_error</c> holds messages that could not be read, <c>…_skipped</c> those
/// that no consumer wants. A message leaves the broker once its row is durable.
/// </summary>
public sealed class UnreadableMessages(BrokerQueues queues, Stages stages, FailureLog failures, ILogger<UnreadableMessages> logger) : BackgroundService
{
    private const int Page = 100;
    private const int MaxBody = 1000;
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(5);

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Every);
        do
        {
            try
            {
                foreach (var stage in stages.All)
                {
                    await queues.TakeAsync($"{stage.Queue}_error", Page, message => FileAsync(stage.Queue, FailureLog.UnreadableMessage, message)).ConfigureAwait(false);
                    await queues.TakeAsync($"{stage.Queue}_skipped", Page, message => FileAsync(stage.Queue, FailureLog.SkippedMessage, message)).ConfigureAwait(false);
                }
            }
            catch (TransientException e)
            {
                logger.LogWarning("messages put aside cannot be read now: {Reason}", e.Message);
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false));
    }

    private async ValueTask FileAsync(string queue, string code, BasicGetResult message)
    {
        var body = message.Body.ToArray();
        var id = message.BasicProperties.MessageId is { Length: > 0 and <= 100 } given ? given : Convert.ToHexStringLower(SHA256.HashData(body));
        var reason = Header(message, "MT-Fault-Message") ?? "no consumer wants it";
        var shown = Encoding.UTF8.GetString(body, 0, Math.Min(body.Length, MaxBody));
        await failures.RecordUnreadableAsync(queue, $"message:{id}", code, $"{reason}\n{shown}", TraceOf(Header(message, "traceparent"))).ConfigureAwait(false);
    }

    private static string? Header(BasicGetResult message, string name) =>
        message.BasicProperties.Headers?.TryGetValue(name, out var value) == true ? value is byte[] bytes ? Encoding.UTF8.GetString(bytes) : value?.ToString() : null;

    private static string? TraceOf(string? traceParent) => traceParent?.Split('-') is [_, { Length: 32 } trace, ..] ? trace : null;
}
