using System.Collections.Concurrent;
using MassTransit;
using Microsoft.Extensions.Logging;
using Pipeline.Contracts.Upkeep;
using Pipeline.Registry.Telemetry;

namespace Pipeline.Registry.Bus;

/// <summary>
/// Bells as messages in memory. Bells that can be joined wait here behind the one message of their stage that is under way: a message costs
/// more than the work of many stages on one key. What finds no room is dropped: the row is enough.
/// </summary>
public sealed class InMemoryDoorbell(IBus bus, StageGauges gauges, ILogger<InMemoryDoorbell> logger) : IDoorbell
{
    // Bells are asked for room before they are rung, so this is passed only where a stage has no consumer in this process.
    private const int MostWaiting = 4;

    private readonly ConcurrentDictionary<Type, object> _waiting = new();

    /// <inheritdoc/>
    public bool HasRoom<T>()
        where T : class => gauges.Of(typeof(T)).HasRoom();

    /// <inheritdoc/>
    public ValueTask RingAsync<T>(T bell)
        where T : class => JoinedBells.CanJoin<T>() ? RingAllAsync([bell]) : SendAsync(bell);

    /// <inheritdoc/>
    public async ValueTask RingAllAsync<T>(IReadOnlyList<T> bells)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(bells);
        if (!JoinedBells.CanJoin<T>())
        {
            foreach (var bell in bells) await SendAsync(bell).ConfigureAwait(false);
            return;
        }

        var gauge = gauges.Of(typeof(T));
        var (added, isFirst) = WaitingOf<T>().Add(bells, MostWaiting * gauge.Capacity);
        gauge.Enter(added);
        if (isFirst) await CarryAsync(bells[0]).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public ValueTask<QueueLevel?> LevelAsync(Type message)
    {
        var gauge = gauges.Of(message);
        return ValueTask.FromResult<QueueLevel?>(new QueueLevel(gauge.Waiting, gauge.Capacity));
    }

    /// <inheritdoc/>
    public void Swept(Type message, bool all)
    {
        var gauge = gauges.Of(message);
        if (all) gauge.CaughtUp();
        else gauge.FellBehind();
    }

    /// <inheritdoc/>
    public ValueTask TakenAsync(Type message, int count = 1) => gauges.Of(message).Leave(count) ? RingAsync(new Sweep()) : ValueTask.CompletedTask;

    /// <inheritdoc/>
    public IReadOnlyList<T> Take<T>(T message, int most)
        where T : class
    {
        if (!JoinedBells.CanJoin<T>()) return [message];
        var (taken, next) = WaitingOf<T>().Take(most);
        if (next is not null) _ = CarryAsync(next).AsTask();
        // A message that another way has brought, such as a test's, has no bells here.
        var own = JoinedBells.Split(message);
        if (own.All(taken.Contains)) return taken;
        return [.. own.Union(taken)];
    }

    private async ValueTask SendAsync<T>(T bell)
        where T : class
    {
        var gauge = gauges.Of(typeof(T));
        // Keyless bells coalesce; the others were asked for room before, and a few over the bound do no harm.
        if (gauge.Capacity == 1 && gauge.Waiting > 0) return;
        gauge.Enter();
        try
        {
            PipelineMeter.Messages.Add(1);
            await bus.Publish(bell).ConfigureAwait(false);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            gauge.Leave();
            Lost<T>(e);
        }
    }

    private async ValueTask CarryAsync<T>(T bell)
        where T : class
    {
        try
        {
            PipelineMeter.Messages.Add(1);
            await bus.Publish(bell).ConfigureAwait(false);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            gauges.Of(typeof(T)).Leave(WaitingOf<T>().Clear());
            Lost<T>(e);
        }
    }

    private void Lost<T>(Exception e) => logger.LogWarning(e, "bell lost, the sweep will ring again: {Bell}", typeof(T).Name);

    private Waiting<T> WaitingOf<T>()
        where T : class => (Waiting<T>)_waiting.GetOrAdd(typeof(T), static _ => new Waiting<T>());

    /// <summary>The bells of one kind that no consumer has taken. While there are any, one message is under way for all.</summary>
    private sealed class Waiting<T>
        where T : class
    {
        private readonly Lock _gate = new();
        private readonly Queue<T> _bells = new();
        private bool _carried;

        /// <summary>Adds bells up to a bound. Returns how many found room, and whether no message is under way: then the caller sends one.</summary>
        public (int Added, bool IsFirst) Add(IReadOnlyList<T> bells, int most)
        {
            lock (_gate)
            {
                var added = Math.Min(bells.Count, Math.Max(0, most - _bells.Count));
                for (var i = 0; i < added; i++) _bells.Enqueue(bells[i]);
                var isFirst = !_carried && added > 0;
                _carried |= isFirst;
                return (added, isFirst);
            }
        }

        /// <summary>Takes bells for the message that has arrived, and names the first of those left over: the caller sends a message for them.</summary>
        public (List<T> Taken, T? Next) Take(int most)
        {
            lock (_gate)
            {
                var taken = new List<T>(Math.Min(most, _bells.Count));
                while (taken.Count < most && _bells.TryDequeue(out var bell)) taken.Add(bell);
                _carried = _bells.TryPeek(out var next);
                return (taken, next);
            }
        }

        /// <summary>Drops all bells: their message was not sent.</summary>
        public int Clear()
        {
            lock (_gate)
            {
                var dropped = _bells.Count;
                _bells.Clear();
                _carried = false;
                return dropped;
            }
        }
    }
}
