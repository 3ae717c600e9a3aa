using Pipeline.Registry.Bus;

namespace Pipeline.Bench.Mirror;

/// <summary>Bells that nobody hears: what follows a sync is measured elsewhere.</summary>
internal sealed class SilentBells : IDoorbell
{
    public bool HasRoom<T>()
        where T : class => false;

    public ValueTask RingAsync<T>(T bell)
        where T : class => ValueTask.CompletedTask;

    public ValueTask<QueueLevel?> LevelAsync(Type message) => ValueTask.FromResult<QueueLevel?>(new QueueLevel(0, 0));

    public void Swept(Type message, bool all)
    {
    }

    public ValueTask TakenAsync(Type message) => ValueTask.CompletedTask;
}
