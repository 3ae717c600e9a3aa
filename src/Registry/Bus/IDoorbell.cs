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

    /// <summary>How many bells of a stage wait, and how many the sweep lets wait; null: the broker does not say now.</summary>
    ValueTask<QueueLevel?> LevelAsync(Type message);

    /// <summary>The sweep has rung what waited.</summary>
    /// <param name="message">The stage's message.</param>
    /// <param name="all">False: the room was filled and rows may be left, so it wants to be asked again soon.</param>
    void Swept(Type message, bool all);

    /// <summary>A consumer has taken a bell.</summary>
    ValueTask TakenAsync(Type message);
}

/// <summary>How full a queue is.</summary>
/// <param name="Waiting">Bells that no consumer has taken.</param>
/// <param name="Capacity">How many the sweep lets wait.</param>
public readonly record struct QueueLevel(int Waiting, int Capacity)
{
    /// <summary>How many more the sweep may ring.</summary>
    public int Free => Math.Max(0, Capacity - Waiting);
}
