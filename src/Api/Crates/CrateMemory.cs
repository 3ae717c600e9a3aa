using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

namespace Pipeline.Api.Crates;

/// <summary>What the truth says of crates, as far as it was asked for lately; bounded. <see cref="CrateChanges"/> makes it forget what has changed.</summary>
internal sealed class CrateMemory<T> : ICrateMemory
    where T : class
{
    // Of the entry itself, beside what the caller says.
    private const int OwnCost = 200;

    private readonly CrateChanges _changes;
    private readonly long _capacity;
    private readonly ConcurrentDictionary<string, Kept> _kept = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<string>> _keysOf = new(StringComparer.Ordinal);
    private readonly Lock _gate = new();
    private long _cost;

    /// <summary>An empty memory.</summary>
    /// <param name="changes">Who makes it forget.</param>
    /// <param name="capacity">How many bytes it may take, about.</param>
    public CrateMemory(CrateChanges changes, long capacity)
    {
        (_changes, _capacity) = (changes, capacity);
        changes.Add(this);
    }

    /// <summary>Finds what is remembered, as of the last <see cref="CrateChanges.CatchUpAsync"/>.</summary>
    public bool TryGet(string key, [NotNullWhen(true)] out T? value)
    {
        value = null;
        if (!_kept.TryGetValue(key, out var kept)) return false;
        if (!kept.IsUsed) kept.IsUsed = true;
        value = kept.Value;
        return true;
    }

    /// <summary>Remembers what the database has just said, unless something has changed meanwhile.</summary>
    /// <param name="seen">What <see cref="CrateChanges.Seen"/> was before the database was asked.</param>
    /// <param name="canonical">The crate's canonical name.</param>
    /// <param name="key">What it is looked up by.</param>
    /// <param name="value">What is remembered.</param>
    /// <param name="cost">Its bytes, about.</param>
    public void Keep(long seen, string canonical, string key, T value, int cost)
    {
        lock (_gate)
        {
            if (_changes.Seen != seen || !_kept.TryAdd(key, new Kept(canonical, value, cost + OwnCost))) return;
            if (!_keysOf.TryGetValue(canonical, out var keys)) _keysOf.Add(canonical, keys = []);
            keys.Add(key);
            _cost += cost + OwnCost;
            if (_cost > _capacity) Shrink();
        }
    }

    /// <inheritdoc/>
    public void Forget(string canonical)
    {
        lock (_gate)
        {
            if (!_keysOf.Remove(canonical, out var keys)) return;
            foreach (var key in keys)
            {
                if (_kept.TryRemove(key, out var kept)) _cost -= kept.Cost;
            }
        }
    }

    /// <inheritdoc/>
    public void ForgetAll()
    {
        lock (_gate)
        {
            _kept.Clear();
            _keysOf.Clear();
            _cost = 0;
        }
    }

    /// <summary>Drops what was not used since the last time, until a tenth is free; the second round drops what was used too.</summary>
    private void Shrink()
    {
        for (var round = 0; round < 2; round++)
        {
            foreach (var (key, kept) in _kept)
            {
                if (_cost <= _capacity * 9 / 10) return;
                if (kept.IsUsed)
                {
                    kept.IsUsed = false;
                    continue;
                }

                _kept.TryRemove(key, out _);
                _cost -= kept.Cost;
                if (_keysOf[kept.Canonical].Remove(key) && _keysOf[kept.Canonical].Count == 0) _keysOf.Remove(kept.Canonical);
            }
        }
    }

    private sealed class Kept(string canonical, T value, int cost)
    {
        public string Canonical => canonical;

        public T Value => value;

        public int Cost => cost;

        public bool IsUsed { get; set; } = true;
    }
}
