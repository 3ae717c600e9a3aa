using System.Collections;

namespace Pipeline.Workers.Manifests.Toml;

/// <summary>An array: written in brackets, or gathered from <c>[[headers]]</c>.</summary>
public sealed class TomlArray : TomlValue, IReadOnlyList<TomlValue>
{
    private readonly List<TomlValue> _items = [];

    internal TomlArray(bool ofTables, TomlSpan span) : base(span) => OfTables = ofTables;

    /// <summary>Whether <c>[[headers]]</c> made it; only such an array can be added to later in the text.</summary>
    public bool OfTables { get; }

    /// <summary>The number of elements.</summary>
    public int Count => _items.Count;

    /// <summary>The element at <paramref name="index"/>, from 0, in the order of the text.</summary>
    public TomlValue this[int index] => _items[index];

    /// <summary>The elements in the order of the text.</summary>
    public IEnumerator<TomlValue> GetEnumerator() => _items.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    internal void Add(TomlValue value) => _items.Add(value);
}
