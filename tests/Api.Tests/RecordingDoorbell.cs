using System.Collections.Concurrent;
using Pipeline.Registry.Bus;

namespace Pipeline.Api.Tests;

/// <summary>Keeps the bells that were rung.</summary>
public sealed class RecordingDoorbell : IDoorbell
{
    private readonly ConcurrentQueue<object> _rung = new();

    /// <summary>What every queue says of itself.</summary>
    public QueueLevel Level { get; set; } = new(0, 1000);

    /// <summary>The bells since the last call, in order.</summary>
    public object[] Take()
    {
        var bells = _rung.ToArray();
        _rung.Clear();
        return bells;
    }

    public bool HasRoom<T>()
        where T : class => true;

    public ValueTask RingAsync<T>(T bell)
        where T : class
    {
        _rung.Enqueue(bell);
        return ValueTask.CompletedTask;
    }

    public ValueTask<QueueLevel?> LevelAsync(Type message) => ValueTask.FromResult<QueueLevel?>(Level);

    public void Swept(Type message, bool all)
    {
    }

    public ValueTask TakenAsync(Type message, int count = 1) => ValueTask.CompletedTask;
}
