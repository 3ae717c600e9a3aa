namespace Pipeline.Workers.Manifests.Toml;

/// <summary>One part of a dotted key.</summary>
/// <param name="Name">The part with quotes and escapes resolved.</param>
/// <param name="Span">Where it is written, quotes included.</param>
internal readonly record struct TomlKey(string Name, TomlSpan Span);
