namespace Pipeline.Api.Search;

/// <summary>
/// A set of slots, as small as it can be: most words stand in one crate alone, and a few stand in most crates. One slot lies in the set itself,
/// some in a list without order, many in one bit each.
/// </summary>
internal struct SlotSet
{
    // From here on bits are smaller than a list: a slot is 32 bits there.
    private const int BitsOfSlot = 32;
    private const int LeastForBits = 512;

    private int _only;
    private object? _more;

    /// <summary>How many slots there are.</summary>
    public int Count { get; private set; }

    /// <summary>Adds a slot that is not in it.</summary>
    /// <param name="slot">The slot.</param>
    /// <param name="capacity">How many slots there can be at present.</param>
    public void Add(int slot, int capacity)
    {
        if (_more is ulong[] full && slot / 64 >= full.Length) Widen(full, capacity);
        if (_more is ulong[] bits) bits[slot / 64] |= 1UL << slot;
        else if (Count == 0) _only = slot;
        else AddToList(slot);
        Count++;
        if (_more is int[] list && Count >= LeastForBits && (long)Count * BitsOfSlot >= capacity) _more = ToBits(list.AsSpan(0, Count), capacity);
    }

    /// <summary>Removes a slot that is in it.</summary>
    public void Remove(int slot)
    {
        Count--;
        if (_more is ulong[] bits)
        {
            bits[slot / 64] &= ~(1UL << slot);
        }
        else if (_more is int[] list)
        {
            list[Array.IndexOf(list, slot, 0, Count + 1)] = list[Count];
            // One that is left lies in the set itself again.
            if (Count == 1) (_only, _more) = (list[0], null);
        }

        if (Count == 0) _more = null;
    }

    /// <summary>Sets the bits of its slots.</summary>
    public readonly void AddTo(Span<ulong> target)
    {
        if (_more is ulong[] bits)
        {
            for (var i = 0; i < bits.Length; i++) target[i] |= bits[i];
        }
        else if (_more is int[] list)
        {
            foreach (var slot in list.AsSpan(0, Count)) target[slot / 64] |= 1UL << slot;
        }
        else if (Count == 1)
        {
            target[_only / 64] |= 1UL << _only;
        }
    }

    private static ulong[] ToBits(ReadOnlySpan<int> slots, int capacity)
    {
        var bits = new ulong[SlotBits.Words(capacity)];
        foreach (var slot in slots) bits[slot / 64] |= 1UL << slot;
        return bits;
    }

    private void AddToList(int slot)
    {
        if (_more is not int[] list) _more = list = [_only, 0];
        if (Count == list.Length)
        {
            Array.Resize(ref list, Count + Math.Max(2, Count / 2));
            _more = list;
        }

        list[Count] = slot;
    }

    /// <summary>More slots have come to be: what was many of them may be few now.</summary>
    private void Widen(ulong[] bits, int capacity)
    {
        if ((long)Count * BitsOfSlot < capacity)
        {
            var list = new int[Math.Max(2, Count + (Count / 2))];
            var next = 0;
            foreach (var slot in SlotBits.Slots(bits)) list[next++] = slot;
            (_more, _only) = Count switch
            {
                0 => (null, 0),
                1 => ((object?)null, list[0]),
                _ => (list, 0),
            };
        }
        else
        {
            Array.Resize(ref bits, SlotBits.Words(capacity));
            _more = bits;
        }
    }
}
