using System.Collections.Concurrent;

namespace Pipeline.Registry.Telemetry;

/// <summary>What a process does in a stage now.</summary>
/// <param name="Stage">Its queue.</param>
/// <param name="Running">Bells that are worked on.</param>
/// <param name="DonePerMinute">Rows moved in the last sixty seconds.</param>
public sealed record StageNow(string Stage, long Running, long DonePerMinute);

/// <summary>Counts what this process does in each stage. Other processes learn it with its next sign of life (<see cref="Truth.ThisProcess"/>).</summary>
public sealed class StageActivity(TimeProvider? clock = null)
{
    private readonly TimeProvider _clock = clock ?? TimeProvider.System;
    private readonly ConcurrentDictionary<string, Counts> _stages = new(StringComparer.Ordinal);

    /// <summary>A bell is worked on.</summary>
    public void Begin(string stage) => Interlocked.Increment(ref Of(stage).Running);

    /// <summary>It was.</summary>
    /// <param name="stage">The stage.</param>
    /// <param name="moved">How many rows it moved: none for a bell that had nothing to say.</param>
    public void End(string stage, long moved)
    {
        var counts = Of(stage);
        Interlocked.Decrement(ref counts.Running);
        if (moved > 0) counts.Add(Second, moved);
    }

    /// <summary>Every stage that this process has had a bell of.</summary>
    public IReadOnlyList<StageNow> Now() => [.. _stages.Select(stage => new StageNow(stage.Key, Volatile.Read(ref stage.Value.Running), stage.Value.Sum(Second)))];

    private long Second => _clock.GetTimestamp() / _clock.TimestampFrequency;

    private Counts Of(string stage) => _stages.GetOrAdd(stage, static _ => new Counts());

    private sealed class Counts
    {
        private const int Seconds = 60;
        private readonly (long Second, long Moved)[] _ring = new (long, long)[Seconds];

        public long Running;

        public void Add(long second, long moved)
        {
            lock (_ring)
            {
                ref var slot = ref _ring[second % Seconds];
                slot = (second, slot.Second == second ? slot.Moved + moved : moved);
            }
        }

        public long Sum(long second)
        {
            lock (_ring) return _ring.Where(slot => slot.Second > second - Seconds).Sum(static slot => slot.Moved);
        }
    }
}
