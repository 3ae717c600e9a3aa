using System.Collections.Concurrent;

namespace Pipeline.Tests.Chaos.Faults;

/// <summary>How often each kind of fault was injected, and how often it was seen to bite.</summary>
internal sealed class Tally
{
    private readonly ConcurrentDictionary<string, (int Injected, int Bit)> _kinds = new(StringComparer.Ordinal);

    /// <summary>By kind.</summary>
    public IReadOnlyDictionary<string, (int Injected, int Bit)> Kinds => _kinds;

    /// <summary>Notes one.</summary>
    public void Note(string kind, bool bit) => _kinds.AddOrUpdate(kind, (1, bit ? 1 : 0), (_, before) => (before.Injected + 1, before.Bit + (bit ? 1 : 0)));

    /// <summary>How often a kind bit so far.</summary>
    public int Bit(string kind) => _kinds.GetValueOrDefault(kind).Bit;
}
