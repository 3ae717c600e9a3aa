using System.Collections.Concurrent;
using MassTransit;
using Microsoft.Extensions.Logging;
using Pipeline.Contracts.Upkeep;
using Pipeline.Registry.Failures;
using Pipeline.Registry.Options;
using Pipeline.Registry.Telemetry;

namespace Pipeline.Registry.Bus.RabbitMq;

/// <summary>Bells as messages of a broker. One that the broker does not confirm in time is dropped: the row is enough.</summary>
public sealed class RabbitMqDoorbell(IBus bus, BrokerQueues queues, BusOptions options, WorkerOptions workers, TimeProvider clock, ILogger<RabbitMqDoorbell> logger) : IDoorbell
{
    // Nothing is sent for so long after a bell was lost: each try would hold up a request for as long as a bell may take.
    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(2);
    // Shorter than one lost bell can be taken for a stuck bus, longer than the sweep is apart.
    private static readonly TimeSpan Losing = TimeSpan.FromSeconds(40);
    private static readonly TimeSpan Gather = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan AskAgain = TimeSpan.FromMilliseconds(500);

    private readonly ConcurrentDictionary<Type, bool> _pending = new();
    private long _awayUntil;
    private int _sweeping;
    private long _deadUntil;
    private long _losingUntil;

    /// <summary>Whether bells are being lost because the bus uses a connection that has ended. One that was lost long ago tells nothing of now.</summary>
    public bool IsOnDeadConnection => clock.GetTimestamp() < Volatile.Read(ref _deadUntil);

    /// <summary>Whether the last bell was lost, whatever the reason, and not long ago.</summary>
    public bool IsLosing => clock.GetTimestamp() < Volatile.Read(ref _losingUntil);

    private bool IsAway => clock.GetTimestamp() < Volatile.Read(ref _awayUntil);

    /// <inheritdoc/>
    public bool HasRoom<T>()
        where T : class => !IsAway;

    /// <inheritdoc/>
    public ValueTask RingAsync<T>(T bell)
        where T : class
    {
        if (!Stages.IsKeyless(typeof(T))) return SendAsync(bell);
        if (_pending.TryAdd(typeof(T), true)) _ = SendGatheredAsync(bell);
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public async ValueTask RingAllAsync<T>(IReadOnlyList<T> bells)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(bells);
        if (JoinedBells.CanJoin<T>())
        {
            foreach (var some in bells.Chunk(JoinedBells.MaxKeys)) await SendAsync(JoinedBells.Join(some)).ConfigureAwait(false);
            return;
        }

        foreach (var bell in bells) await RingAsync(bell).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask<QueueLevel?> LevelAsync(Type message)
    {
        ArgumentNullException.ThrowIfNull(message);
        try
        {
            return new QueueLevel(await queues.DepthAsync(BrokerQueues.NameOf(message)).ConfigureAwait(false), workers.QueueCapacity);
        }
        catch (TransientException)
        {
            return null;
        }
    }

    /// <inheritdoc/>
    public void Swept(Type message, bool all)
    {
        if (!all && Interlocked.Exchange(ref _sweeping, 1) == 0) _ = SweepAgainAsync();
    }

    /// <inheritdoc/>
    public ValueTask TakenAsync(Type message, int count = 1) => ValueTask.CompletedTask;

    private async ValueTask SendAsync<T>(T bell)
        where T : class
    {
        if (IsAway) return;
        var patience = TimeSpan.FromSeconds(options.RingSeconds);
        using var giveUp = new CancellationTokenSource(patience);
        try
        {
            // The bus does not heed the token while it declares its exchange, and a broker that has just come back may be slow to answer that.
            PipelineMeter.Messages.Add(1);
            await bus.Publish(bell, giveUp.Token).WaitAsync(patience, clock).ConfigureAwait(false);
            Volatile.Write(ref _deadUntil, 0);
            Volatile.Write(ref _losingUntil, 0);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            Volatile.Write(ref _awayUntil, After(Rest));
            Volatile.Write(ref _losingUntil, After(Losing));
            if (StuckBus.IsOfDeadConnection(e)) Volatile.Write(ref _deadUntil, After(2 * Rest));
            logger.LogWarning("bell lost, the sweep will ring again: {Bell}: {Reason}", typeof(T).Name, e is OperationCanceledException or TimeoutException ? "the broker does not answer" : e.Message);
        }
    }

    private long After(TimeSpan time) => clock.GetTimestamp() + (long)(time.TotalSeconds * clock.TimestampFrequency);

    // Bells without keys say the same: those of a moment are one message.
    private async Task SendGatheredAsync<T>(T bell)
        where T : class
    {
        await Task.Delay(Gather, clock).ConfigureAwait(false);
        _pending.TryRemove(typeof(T), out _);
        await SendAsync(bell).ConfigureAwait(false);
    }

    // A backlog is rung in pages of what the queue may hold; waiting for the schedule between them would starve the workers.
    private async Task SweepAgainAsync()
    {
        await Task.Delay(AskAgain, clock).ConfigureAwait(false);
        Volatile.Write(ref _sweeping, 0);
        await RingAsync(new Sweep()).ConfigureAwait(false);
    }
}
