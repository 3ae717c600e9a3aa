using System.Collections.Concurrent;
using Pipeline.Contracts;

namespace Pipeline.Registry.Identity;

/// <summary>
/// Callers authenticated within the last second, so that a burst of requests with one token asks the database once.
/// A revocation or lock made by this process works at once, one made elsewhere within that second.
/// </summary>
public sealed class CallerCache(TimeProvider clock)
{
    private const int Capacity = 4096;
    private static readonly TimeSpan Life = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<Checksum, Entry> _entries = new();
    private int _generation;
    private int _count;

    /// <summary>Counts the times the cache was emptied: what was read before such a time must not be kept after it.</summary>
    public int Generation => Volatile.Read(ref _generation);

    /// <summary>The caller of a token's hash, if it was authenticated just now.</summary>
    public Caller? Find(Checksum hash) =>
        _entries.TryGetValue(hash, out var entry) && clock.GetElapsedTime(entry.ReadAt) < Life ? entry.Caller : null;

    /// <summary>Keeps a caller.</summary>
    /// <param name="hash">The token's hash.</param>
    /// <param name="caller">Who it is.</param>
    /// <param name="readAt">The clock's timestamp before the database was asked.</param>
    /// <param name="generation"><see cref="Generation"/> at that time.</param>
    public void Keep(Checksum hash, Caller caller, long readAt, int generation)
    {
        // Only tokens that exist get here, so forgetting all at once when full costs one query for each in use.
        if (Interlocked.Increment(ref _count) > Capacity) Clear();
        else if (generation == Generation) _entries[hash] = new Entry(caller, readAt);
        // Emptied between the check and the store: the entry may be stale, drop it again.
        if (generation != Generation) _entries.TryRemove(hash, out _);
    }

    /// <summary>Forgets everybody: a token or an account changed.</summary>
    public void Clear()
    {
        Interlocked.Increment(ref _generation);
        _entries.Clear();
        Volatile.Write(ref _count, 0);
    }

    private sealed record Entry(Caller Caller, long ReadAt);
}
