using System.Collections.Concurrent;
using Pipeline.Registry.Database;

namespace Pipeline.Registry.Truth;

/// <summary>
/// Counts that read as much as the registry has, such as how many versions there are. One that takes noticeable time is kept for a hundred
/// times as long, so that whoever asks, however often, counting takes a hundredth of one core at most. A small registry is counted anew each time.
/// </summary>
public sealed class RareCounts(TimeProvider clock)
{
    private const int Share = 100;

    private static readonly TimeSpan Noticeable = TimeSpan.FromMilliseconds(50);

    private readonly ConcurrentDictionary<string, Counted> _kept = new(StringComparer.Ordinal);

    /// <summary>Counts, or says what was counted a moment ago.</summary>
    /// <param name="what">What is counted: one word for one query and its parameters.</param>
    /// <param name="sql">Reads.</param>
    /// <param name="count">The query.</param>
    public async ValueTask<T> ReadAsync<T>(string what, Statements sql, Func<Statements, ValueTask<T>> count)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(count);
        if (_kept.TryGetValue(what, out var kept) && clock.GetElapsedTime(kept.At) < kept.Took * Share) return (T)kept.Value;
        var began = clock.GetTimestamp();
        var value = await count(sql).ConfigureAwait(false);
        var took = clock.GetElapsedTime(began);
        if (took < Noticeable) _kept.TryRemove(what, out _);
        else _kept[what] = new Counted(value, clock.GetTimestamp(), took);
        return value;
    }

    private sealed record Counted(object Value, long At, TimeSpan Took);
}
