using System.Globalization;
using Pipeline.Registry.Database;

namespace Pipeline.Api.Admin;

/// <summary>Database values as the admin API shows them.</summary>
internal static class Cells
{
    /// <summary>A time.</summary>
    public static DateTime Time(long microseconds) => Microseconds.Time(microseconds).UtcDateTime;

    /// <summary>A time, or null.</summary>
    public static DateTime? Time(long? microseconds) => microseconds is { } value ? Time(value) : null;

    /// <summary>The cursor behind the last of a page; null: the page was not full, so nothing follows.</summary>
    public static string? Cursor<T>(List<T> page, int limit, Func<T, long> key) => page.Count < limit ? null : key(page[^1]).ToString(CultureInfo.InvariantCulture);
}
