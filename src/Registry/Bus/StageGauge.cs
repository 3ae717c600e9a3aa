using Pipeline.Registry.Options;

namespace Pipeline.Registry.Bus;

/// <summary>
/// How many bells of one kind wait in memory. It bounds the in-memory queue, and it remembers when bells were dropped,
/// so that the sweep is asked for more as soon as there is room (design, law 2).
/// </summary>
public sealed class StageGauge(int capacity)
{
    private int _waiting;
    private int _starved;

    /// <summary>The most bells that wait.</summary>
    public int Capacity => capacity;

    /// <summary>How many wait now: rung, and not yet taken by a consumer.</summary>
    public int Waiting => Volatile.Read(ref _waiting);

    /// <summary>
    /// Whether a new bell would be taken. Once one was refused, older rows are waiting for the sweep: newer ones
    /// must queue behind them, so the answer stays no until the sweep has caught up.
    /// </summary>
    public bool HasRoom()
    {
        if (Volatile.Read(ref _starved) == 0 && Waiting < capacity) return true;
        Volatile.Write(ref _starved, 1);
        return false;
    }

    /// <summary>Counts bells in.</summary>
    public void Enter(int count = 1) => Interlocked.Add(ref _waiting, count);

    /// <summary>Counts bells out. True: bells were refused and half the room is free, so a sweep is due.</summary>
    public bool Leave(int count = 1) => Interlocked.Add(ref _waiting, -count) <= capacity / 2 && Volatile.Read(ref _starved) == 1;

    /// <summary>The sweep filled the room and may have left rows: it is asked again as soon as half of it is free.</summary>
    public void FellBehind() => Volatile.Write(ref _starved, 1);

    /// <summary>The sweep found nothing more to ring: new bells are taken again.</summary>
    public void CaughtUp() => Volatile.Write(ref _starved, 0);
}

/// <summary>The gauges of all stages of this process, by message type.</summary>
public sealed class StageGauges(WorkerOptions options)
{
    private readonly System.Collections.Concurrent.ConcurrentDictionary<Type, StageGauge> _gauges = new();

    /// <summary>The gauge of a message type.</summary>
    public StageGauge Of(Type message) => _gauges.GetOrAdd(message, type => new StageGauge(Stages.IsKeyless(type) ? 1 : options.QueueCapacity));
}
