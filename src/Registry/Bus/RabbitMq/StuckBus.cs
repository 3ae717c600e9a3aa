using MassTransit;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Pipeline.Registry.Failures;
using RabbitMQ.Client.Exceptions;

namespace Pipeline.Registry.Bus.RabbitMq;

/// <summary>
/// Stops the host when its bus is stuck on a dead connection though the broker answers; whoever runs the host starts a new one. When a
/// connection is reset while a message is under way, MassTransit 8.4 closes the message's channel from within its own handler, and
/// RabbitMQ.Client 7.1 then waits for that handler to end: nobody hears that the connection is gone, each further try uses it again, and a
/// bus that is stopped and started anew lacks the endpoints that hang. Without this the process would live on, hear nothing and ring nothing.
/// </summary>
public sealed class StuckBus(IBusControl bus, RabbitMqDoorbell doorbell, BrokerQueues queues, IHostApplicationLifetime lifetime, TimeProvider clock, ILogger<StuckBus> logger) : BackgroundService
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(2);

    // The bus itself tries again after a second, and then after ever longer pauses.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>Whether it stopped the host.</summary>
    public bool IsFound { get; private set; }

    /// <summary>Whether something failed because it used a connection that had ended before.</summary>
    public static bool IsOfDeadConnection(Exception? failure) => failure is AlreadyClosedException || (failure?.InnerException is { } inner && IsOfDeadConnection(inner));

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        long? since = null;
        using var timer = new PeriodicTimer(Every, clock);
        while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false))
        {
            // Where no endpoint has noticed, the bells that are lost tell.
            var isStuck = (HasDeadEndpoint() || doorbell.IsOnDeadConnection) && await BrokerAnswersAsync().ConfigureAwait(false);
            since = isStuck ? since ?? clock.GetTimestamp() : null;
            if (since is null || clock.GetElapsedTime(since.Value) < Patience) continue;
            logger.LogError("the bus is stuck on a connection that has ended, and the broker answers: this process starts anew");
            IsFound = true;
            lifetime.StopApplication();
            return;
        }
    }

    private bool HasDeadEndpoint() =>
        bus.CheckHealth().Endpoints.Values.Any(static endpoint => endpoint.Status == BusHealthStatus.Unhealthy && IsOfDeadConnection(endpoint.Exception));

    private async Task<bool> BrokerAnswersAsync()
    {
        try
        {
            await queues.DepthAsync("sweep").ConfigureAwait(false);
            return true;
        }
        catch (TransientException)
        {
            return false;
        }
    }
}
