using System.Collections;
using System.Diagnostics.CodeAnalysis;

namespace Pipeline.Workers.Manifests.Toml;

/// <summary>One key of a table with its value.</summary>
/// <param name="Key">The key with quotes and escapes resolved.</param>
/// <param name="KeySpan">Where the key was first written.</param>
/// <param name="Value">The value.</param>
public readonly record struct TomlEntry(string Key, TomlSpan KeySpan, TomlValue Value);

/// <summary>A table: its entries in the order in which the text first names them, found by key in constant time.</summary>
public sealed class TomlTable : TomlValue, IReadOnlyList<TomlEntry>
{
    // Most tables of a manifest are small; up to here a walk beats hashing, and saves the dictionary.
    private const int IndexedFrom = 8;

    private readonly List<TomlEntry> _entries = [];
    private Dictionary<string, int>? _index;

    internal TomlTable(TomlTableForm form, int depth, TomlSpan span) : base(span)
    {
        Form = form;
        Depth = depth;
    }

    /// <summary>The number of entries.</summary>
    public int Count => _entries.Count;

    /// <summary>The entry at <paramref name="index"/>, from 0, in the order of the text.</summary>
    public TomlEntry this[int index] => _entries[index];

    /// <summary>How the text made the table, which decides what may still be added to it.</summary>
    internal TomlTableForm Form { get; set; }

    /// <summary>How many levels above it hold it; 0 for the root.</summary>
    internal int Depth { get; }

    /// <summary>Finds the entry of a key.</summary>
    /// <returns>Whether the table has the key.</returns>
    public bool TryGet(string key, out TomlEntry entry)
    {
        var at = IndexOf(key);
        entry = at < 0 ? default : _entries[at];
        return at >= 0;
    }

    /// <summary>Finds the value of a key.</summary>
    /// <returns>Whether the table has the key.</returns>
    public bool TryGetValue(string key, [NotNullWhen(true)] out TomlValue? value)
    {
        var found = TryGet(key, out var entry);
        value = entry.Value;
        return found;
    }

    /// <summary>The entries in the order of the text.</summary>
    public IEnumerator<TomlEntry> GetEnumerator() => _entries.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>Appends an entry whose key the caller has found missing.</summary>
    internal void Add(TomlEntry entry)
    {
        _entries.Add(entry);
        if (_index is null && _entries.Count > IndexedFrom)
            BuildIndex();
        else
            _index?.Add(entry.Key, _entries.Count - 1);
    }

    private void BuildIndex()
    {
        _index = new Dictionary<string, int>(_entries.Count * 2, StringComparer.Ordinal);
        for (var at = 0; at < _entries.Count; at++)
            _index.Add(_entries[at].Key, at);
    }

    private int IndexOf(string key)
    {
        if (_index is not null)
            return _index.TryGetValue(key, out var known) ? known : -1;
        for (var at = 0; at < _entries.Count; at++)
        {
            if (_entries[at].Key == key)
                return at;
        }
        return -1;
    }
}
