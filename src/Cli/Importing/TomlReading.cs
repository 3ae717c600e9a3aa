using Pipeline.Workers.Manifests.Toml;

namespace Pipeline.Cli.Importing;

/// <summary>Reads what a manifest should hold, and nothing where it holds something else: the registry will say what is wrong.</summary>
internal static class TomlReading
{
    /// <summary>The value of a key or, for old manifests, of the same with underscores.</summary>
    public static TomlValue? Aliased(TomlTable table, string key) =>
        table.TryGetValue(key, out var value) || table.TryGetValue(key.Replace('-', '_'), out value) ? value : null;

    /// <summary>The text of a key; null when there is none.</summary>
    public static string? Text(TomlValue? table, string key) => (table as TomlTable)?.TryGetValue(key, out var value) == true ? (value as TomlString)?.Value : null;

    /// <summary>The truth value of a key or its alias.</summary>
    public static bool Bool(TomlValue? table, string key, bool otherwise) =>
        table is TomlTable known && Aliased(known, key) is TomlBoolean value ? value.Value : otherwise;

    /// <summary>The texts of a list; what is no text is left out.</summary>
    public static IEnumerable<string> Texts(TomlValue? value) => value is TomlArray array ? array.OfType<TomlString>().Select(text => text.Value) : [];
}
