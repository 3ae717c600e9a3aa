namespace Pipeline.Workers.Manifests.Toml;

/// <summary>A stretch of a TOML text, in UTF-16 code units from its start.</summary>
/// <param name="Start">Offset of the first code unit.</param>
/// <param name="End">Offset behind the last code unit; equal to <paramref name="Start"/> for an empty stretch.</param>
public readonly record struct TomlSpan(int Start, int End);
