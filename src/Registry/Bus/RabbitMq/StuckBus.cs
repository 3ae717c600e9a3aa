using MassTransit;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Pipeline.Registry.Failures;
using RabbitMQ.Client.Exceptions;

namespace Pipeline.Registry.Bus.RabbitMq;

/// <summary>
/// Stops the host when its bus is stuck on a dead connection though the broker takes messages; whoever runs the host starts a new one. When a
/// connection is reset while a message is under way, MassTransit 8.4 closes the message's channel from within its own handler, and
/// RabbitMQ.Client 7.1 then waits for that handler to end: nobody hears that the connection is gone, each further try uses it again, and a
/// bus that is stopped and started anew lacks the endpoints that hang. Without this the process would live on, hear nothing and ring nothing.
/// </summary>
public sealed class StuckBus(IBusControl bus, RabbitMqDoorbell doorbell, BrokerQueues queues, IHostApplicationLifetime lifetime, TimeProvider clock, ILogger<StuckBus> logger) : BackgroundService
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(2);

    // The bus itself tries again after a second, and then after ever longer pauses, of a minute at most.
    private static readonly TimeSpan DeadPatience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan SilentPatience = TimeSpan.FromSeconds(75);

    /// <summary>Whether it stopped the host.</summary>
    public bool IsFound { get; private set; }

    /// <summary>Whether something failed because it used a connection that had ended before.</summary>
    public static bool IsOfDeadConnection(Exception? failure) => failure is AlreadyClosedException || (failure?.InnerException is { } inner && IsOfDeadConnection(inner));

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        long? dead = null;
        long? silent = null;
        using var timer = new PeriodicTimer(Every, clock);
        while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false))
        {
            // Where no endpoint has noticed, the bells that are lost tell.
            var isDead = HasEndpoint(IsOfDeadConnection) || doorbell.IsOnDeadConnection;
            var isSilent = isDead || HasEndpoint(static failure => !IsRefused(failure)) || doorbell.IsLosing;
            var takes = isSilent && await BrokerTakesAsync().ConfigureAwait(false);
            dead = isDead && takes ? dead ?? clock.GetTimestamp() : null;
            silent = takes ? silent ?? clock.GetTimestamp() : null;
            if (!IsOver(dead, DeadPatience) && !IsOver(silent, SilentPatience)) continue;
            logger.LogError("the bus is stuck on a connection that has ended, and the broker takes messages: this process starts anew");
            IsFound = true;
            lifetime.StopApplication();
            return;
        }
    }

    // A queue that is there and of another kind: no new process makes that better.
    private static bool IsRefused(Exception? failure) => failure is OperationInterruptedException and not AlreadyClosedException || (failure?.InnerException is { } inner && IsRefused(inner));

    private bool IsOver(long? since, TimeSpan patience) => since is { } start && clock.GetElapsedTime(start) >= patience;

    private bool HasEndpoint(Func<Exception?, bool> failedBy) =>
        bus.CheckHealth().Endpoints.Values.Any(endpoint => endpoint.Status == BusHealthStatus.Unhealthy && failedBy(endpoint.Exception));

    private async Task<bool> BrokerTakesAsync()
    {
        try
        {
            await queues.ProbeAsync().ConfigureAwait(false);
            return true;
        }
        catch (TransientException)
        {
            return false;
        }
    }
}
