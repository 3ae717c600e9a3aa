namespace Pipeline.Workers.Manifests.Toml;

/// <summary>A time of day. Unlike <see cref="TimeOnly"/> it knows the leap second.</summary>
/// <param name="Hour">0 to 23.</param>
/// <param name="Minute">0 to 59.</param>
/// <param name="Second">0 to 60; 0 when the text has none (TOML 1.1).</param>
/// <param name="Nanosecond">0 to 999,999,999; further digits are cut off, as the specification asks.</param>
public readonly record struct TomlTime(int Hour, int Minute, int Second, int Nanosecond);
