using System.Globalization;
using System.Text;
using Pipeline.Workers.Manifests.Toml;

namespace Pipeline.Workers.Manifests;

/// <summary>
/// Takes values of the types a manifest asks for, and keeps the first mismatch of the document, worded as serde words it.
/// A caller may go on after a mismatch: what it reads then is thrown away.
/// </summary>
/// <param name="text">The manifest's text, for quoting.</param>
internal sealed class ManifestShape(string text)
{
    /// <summary>The first mismatch, or null.</summary>
    public TomlError? Error { get; private set; }

    /// <summary>Notes an error unless one is noted already.</summary>
    public void Fail(string message, TomlSpan? span) => Error ??= new TomlError(text, message, span);

    /// <summary>Notes that a value is of another type than <paramref name="expected"/> names.</summary>
    public void Mismatch(TomlValue found, string expected) => Fail($"invalid type: {Name(found)}, expected {expected}", found.Span);

    /// <summary>Takes a string.</summary>
    public string? Text(TomlValue value)
    {
        if (value is TomlString found)
            return found.Value;
        Mismatch(value, "a string");
        return null;
    }

    /// <summary>Takes a boolean.</summary>
    public bool? Flag(TomlValue value)
    {
        if (value is TomlBoolean found)
            return found.Value;
        Mismatch(value, "a boolean");
        return null;
    }

    /// <summary>Takes an array of strings.</summary>
    public IReadOnlyList<string> Texts(TomlValue value)
    {
        if (value is not TomlArray array)
        {
            Mismatch(value, "a sequence");
            return [];
        }
        var texts = new string[array.Count];
        for (var at = 0; at < texts.Length; at++)
            texts[at] = Text(array[at]) ?? "";
        return texts;
    }

    /// <summary>Takes a string or a boolean, whichever: nothing further is asked of it.</summary>
    public void TextOrFlag(TomlValue value)
    {
        if (value is not (TomlString or TomlBoolean))
            Mismatch(value, "a string or a boolean");
    }

    /// <summary>Takes an edition.</summary>
    public string? Edition(TomlValue value)
    {
        var edition = Text(value);
        if (edition is not (null or "2015" or "2018" or "2021" or "2024"))
            Fail($"unknown variant `{TomlQuote.Shorten(edition)}`, expected one of `2015`, `2018`, `2021`, `2024`", value.Span);
        return edition;
    }

    /// <summary>Takes a table.</summary>
    /// <param name="value">The value.</param>
    /// <param name="expected">What it is for the message: <c>a map</c>, <c>struct Package</c>.</param>
    public TomlTable? Table(TomlValue value, string expected)
    {
        if (value is TomlTable table)
            return table;
        Mismatch(value, expected);
        return null;
    }

    /// <summary>Notes a field that stands there under its old name with an underscore, if its right name is there as well.</summary>
    public void OldName(TomlTable table, TomlEntry entry, string name)
    {
        if (table.TryGet(name, out _))
            Fail($"duplicate field `{name}`", entry.KeySpan);
    }

    private static string Name(TomlValue value) => value switch
    {
        TomlString found => $"string {Quote(found.Value)}",
        TomlInteger found => $"integer `{found}`",
        TomlFloat found => $"floating point `{WithPoint(found)}`",
        TomlBoolean found => $"boolean `{found}`",
        TomlDateTime found => $"date-time `{found}`",
        TomlArray => "sequence",
        _ => "map",
    };

    private static string WithPoint(TomlFloat value)
    {
        var digits = value.ToString();
        return double.IsFinite(value.Value) && !digits.AsSpan().ContainsAny('.', 'E') ? digits + ".0" : digits;
    }

    private static string Quote(string value)
    {
        var quoted = new StringBuilder("\"");
        foreach (var unit in TomlQuote.Shorten(value))
        {
            _ = unit switch
            {
                '"' or '\\' => quoted.Append('\\').Append(unit),
                '\n' => quoted.Append("\\n"),
                '\r' => quoted.Append("\\r"),
                '\t' => quoted.Append("\\t"),
                '\0' => quoted.Append("\\0"),
                _ when char.IsControl(unit) => quoted.Append(CultureInfo.InvariantCulture, $"\\u{{{(int)unit:x}}}"),
                _ => quoted.Append(unit),
            };
        }
        return quoted.Append('"').ToString();
    }
}
