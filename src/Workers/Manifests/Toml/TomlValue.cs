namespace Pipeline.Workers.Manifests.Toml;

/// <summary>One value of a TOML document: table, array, string, integer, float, boolean or date-time.</summary>
public abstract class TomlValue
{
    private protected TomlValue(TomlSpan span) => Span = span;

    /// <summary>
    /// Where the value is written. For a table opened by a header this is the header with its brackets, for one that only
    /// a longer header or a dotted key implies it is that key part; for an array of tables it is its first header.
    /// </summary>
    public TomlSpan Span { get; internal set; }
}
