using System.Threading.Channels;
using Pipeline.Registry.Bus;
using Pipeline.Registry.Schedules;

namespace Pipeline.Registry.Tests.Schedules;

/// <summary>A schedule of one second, and every firing of it by any scheduler of this process.</summary>
internal sealed class Ticks : IDoorbell
{
    private readonly Channel<DateTimeOffset?> _rung = Channel.CreateUnbounded<DateTimeOffset?>();

    public Schedule Schedule(string name = "tick") => new(name, TimeSpan.FromSeconds(1), (_, slot) => _rung.Writer.WriteAsync(slot));

    /// <summary>The slot of the next firing; null for one without, at a start.</summary>
    public async Task<DateTimeOffset?> NextAsync()
    {
        using var watch = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        watch.CancelAfter(TimeSpan.FromSeconds(60));
        return await _rung.Reader.ReadAsync(watch.Token);
    }

    /// <summary>The next firings that have slots.</summary>
    public async Task<List<DateTimeOffset>> NextAsync(int count)
    {
        var slots = new List<DateTimeOffset>();
        while (slots.Count < count)
        {
            if (await NextAsync() is { } slot) slots.Add(slot);
        }

        return slots;
    }

    public bool HasRoom<T>()
        where T : class => true;

    public ValueTask RingAsync<T>(T bell)
        where T : class => ValueTask.CompletedTask;

    public ValueTask<QueueLevel?> LevelAsync(Type message) => ValueTask.FromResult<QueueLevel?>(null);

    public void Swept(Type message, bool all)
    {
    }

    public ValueTask TakenAsync(Type message, int count = 1) => ValueTask.CompletedTask;
}
