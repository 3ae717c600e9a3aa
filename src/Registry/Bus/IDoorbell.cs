namespace Pipeline.Registry.Bus;

/// <summary>
/// Rings the bell of a stage (design, law 2). A bell carries keys only and may be lost, doubled or late: the rows are the state,
/// and the sweep rings again. Ringing therefore never fails a request.
/// </summary>
public interface IDoorbell
{
    /// <summary>Whether a bell rung now would be taken. False: leave the row unrung, the sweep will claim it in its turn.</summary>
    bool HasRoom<T>()
        where T : class;

    /// <summary>Rings; drops the bell when the stage has no room or the broker is away.</summary>
    ValueTask RingAsync<T>(T bell)
        where T : class;

    /// <summary>Rings for several keys, in as few messages as the bus can make of them.</summary>
    /// <param name="bells">Bells of one key each.</param>
    async ValueTask RingAllAsync<T>(IReadOnlyList<T> bells)
        where T : class
    {
        foreach (var bell in bells) await RingAsync(bell).ConfigureAwait(false);
    }

    /// <summary>How many bells of a stage wait, and how many the sweep lets wait; null: the broker does not say now.</summary>
    ValueTask<QueueLevel?> LevelAsync(Type message);

    /// <summary>The sweep has rung what waited.</summary>
    /// <param name="message">The stage's message.</param>
    /// <param name="all">False: the room was filled and rows may be left, so it wants to be asked again soon.</param>
    void Swept(Type message, bool all);

    /// <summary>A consumer has taken bells.</summary>
    ValueTask TakenAsync(Type message, int count = 1);

    /// <summary>The bells, of one key each, that a message stands for now: its own, and those that wait behind it in this process.</summary>
    /// <param name="message">The message that a consumer was given.</param>
    /// <param name="most">How many it wants; those left over come with a message of their own.</param>
    IReadOnlyList<T> Take<T>(T message, int most)
        where T : class => JoinedBells.Split(message);
}

/// <summary>How full a queue is.</summary>
/// <param name="Waiting">Bells that no consumer has taken.</param>
/// <param name="Capacity">How many the sweep lets wait.</param>
public readonly record struct QueueLevel(int Waiting, int Capacity)
{
    /// <summary>How many more the sweep may ring.</summary>
    public int Free => Math.Max(0, Capacity - Waiting);
}
