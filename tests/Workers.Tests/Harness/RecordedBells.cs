using System.Collections.Concurrent;
using Pipeline.Registry.Bus;

namespace Pipeline.Workers.Tests.Harness;

/// <summary>A doorbell that delivers nothing and remembers what was rung: one stage is tested at a time. Every bell is lost, which no stage may mind.</summary>
internal sealed class RecordedBells : IDoorbell
{
    private readonly ConcurrentQueue<object> _rung = new();

    public bool Room { get; set; } = true;

    public QueueLevel Level { get; set; } = new(0, 1000);

    public IReadOnlyList<object> Rung => [.. _rung];

    public bool HasRoom<T>()
        where T : class => Room;

    public ValueTask RingAsync<T>(T bell)
        where T : class
    {
        _rung.Enqueue(bell);
        return ValueTask.CompletedTask;
    }

    public void Clear() => _rung.Clear();

    public ValueTask<QueueLevel?> LevelAsync(Type message) => ValueTask.FromResult<QueueLevel?>(Level);

    public void Swept(Type message, bool all)
    {
    }

    public ValueTask TakenAsync(Type message, int count = 1) => ValueTask.CompletedTask;
}
