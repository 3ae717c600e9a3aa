using Pipeline.Registry.Bus;

namespace Pipeline.Bench.Measuring;

/// <summary>A doorbell that nobody hears: nothing runs but what is measured.</summary>
internal sealed class NoBells : IDoorbell
{
    public bool HasRoom<T>()
        where T : class => false;

    public ValueTask RingAsync<T>(T bell)
        where T : class => ValueTask.CompletedTask;

    public ValueTask<QueueLevel?> LevelAsync(Type message) => ValueTask.FromResult<QueueLevel?>(null);

    public void Swept(Type message, bool all)
    {
    }

    public ValueTask TakenAsync(Type message, int count = 1) => ValueTask.CompletedTask;
}
