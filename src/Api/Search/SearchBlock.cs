namespace Pipeline.Api.Search;

/// <summary>
/// Crates in the order of their canonical names, with their words in one piece of memory: looking for a word reads it from end to end, as fast as
/// memory is read.
/// </summary>
internal sealed class SearchBlock
{
    private readonly byte[] _words;
    private readonly int[] _starts;

    /// <summary>Lays out crates that are in order.</summary>
    public SearchBlock(SearchEntry[] entries)
    {
        Entries = entries;
        _words = new byte[entries.Sum(static entry => entry.Words.Length)];
        _starts = new int[entries.Length + 1];
        for (var i = 0; i < entries.Length; i++)
        {
            entries[i].Words.CopyTo(_words, _starts[i]);
            _starts[i + 1] = _starts[i] + entries[i].Words.Length;
            // The words are here now: kept twice they would be most of the memory.
            entries[i] = entries[i] with { Words = [] };
        }
    }

    /// <summary>The crates; their own words are empty.</summary>
    public SearchEntry[] Entries { get; }

    /// <summary>The words of one.</summary>
    public ReadOnlySpan<byte> WordsOf(int index) => _words.AsSpan(_starts[index], _starts[index + 1] - _starts[index]);

    /// <summary>The next crate, from an index on, whose words have a word somewhere; the count of crates: there is none.</summary>
    public int Next(int from, ReadOnlySpan<byte> word)
    {
        while (from < Entries.Length)
        {
            var found = _words.AsSpan(_starts[from]).IndexOf(word);
            if (found < 0) return Entries.Length;
            var at = _starts[from] + found;
            // The last crate that starts there or before. A word across the border of two belongs to neither.
            var index = Array.BinarySearch(_starts, from, _starts.Length - from, at);
            if (index < 0) index = ~index - 1;
            if (at + word.Length <= _starts[index + 1]) return index;
            from = index;
            if (WordsOf(from)[(at - _starts[from] + 1)..].IndexOf(word) >= 0) return from;
            from++;
        }

        return Entries.Length;
    }

    /// <summary>The crates with their words again, without some.</summary>
    public IEnumerable<SearchEntry> Without(IReadOnlyDictionary<long, SearchEntry?> changed)
    {
        for (var i = 0; i < Entries.Length; i++)
        {
            if (!changed.ContainsKey(Entries[i].Id)) yield return Entries[i] with { Words = WordsOf(i).ToArray() };
        }
    }
}
