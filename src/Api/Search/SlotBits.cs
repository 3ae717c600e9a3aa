using System.Buffers;
using System.Numerics;

namespace Pipeline.Api.Search;

/// <summary>A set of slots that a search works on, one bit each. Borrowed memory: it is given back at the search's end.</summary>
internal readonly struct SlotBits : IDisposable
{
    private readonly ulong[] _rented;
    private readonly int _words;

    /// <summary>An empty set.</summary>
    /// <param name="capacity">How many slots there can be.</param>
    public SlotBits(int capacity)
    {
        _words = Words(capacity);
        _rented = ArrayPool<ulong>.Shared.Rent(_words);
        Span.Clear();
    }

    /// <summary>The bits.</summary>
    public Span<ulong> Span => _rented.AsSpan(0, _words);

    /// <summary>How many words of bits hold so many slots.</summary>
    public static int Words(int capacity) => (capacity + 63) / 64;

    /// <summary>The slots whose bits are set, in their order.</summary>
    public static IEnumerable<int> Slots(ArraySegment<ulong> bits)
    {
        for (var i = 0; i < bits.Count; i++)
        {
            for (var rest = bits[i]; rest != 0; rest &= rest - 1) yield return (i * 64) + BitOperations.TrailingZeroCount(rest);
        }
    }

    /// <summary>The slots in it, in their order. It may be removed from meanwhile.</summary>
    public IEnumerable<int> Slots() => Slots(new ArraySegment<ulong>(_rented, 0, _words));

    /// <summary>Whether a slot is in it.</summary>
    public bool Has(int slot) => (_rented[slot / 64] >> slot & 1) != 0;

    /// <summary>Adds a slot.</summary>
    public void Add(int slot) => _rented[slot / 64] |= 1UL << slot;

    /// <summary>Removes a slot.</summary>
    public void Remove(int slot) => _rented[slot / 64] &= ~(1UL << slot);

    /// <summary>Leaves what another set has too.</summary>
    public void Intersect(SlotBits other)
    {
        var bits = Span;
        var others = other.Span;
        for (var i = 0; i < bits.Length; i++) bits[i] &= others[i];
    }

    /// <summary>Takes away what another set has.</summary>
    public void Except(SlotBits other)
    {
        var bits = Span;
        var others = other.Span;
        for (var i = 0; i < bits.Length; i++) bits[i] &= ~others[i];
    }

    /// <summary>How many slots are in it.</summary>
    public int Count()
    {
        var count = 0;
        foreach (var word in Span) count += BitOperations.PopCount(word);
        return count;
    }

    /// <inheritdoc/>
    public void Dispose() => ArrayPool<ulong>.Shared.Return(_rented);
}
