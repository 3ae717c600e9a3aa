namespace Pipeline.Workers.Manifests.Toml;

/// <summary>A day of the Gregorian calendar. Unlike <see cref="DateOnly"/> it knows the year 0, which RFC 3339 allows.</summary>
/// <param name="Year">0 to 9999.</param>
/// <param name="Month">1 to 12.</param>
/// <param name="Day">1 to the month's last day.</param>
public readonly record struct TomlDate(int Year, int Month, int Day);
