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
}
