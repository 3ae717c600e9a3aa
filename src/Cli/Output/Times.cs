using System.Globalization;

namespace Pipeline.Cli.Output;

/// <summary>Times as people write and read them; always UTC.</summary>
public static class Times
{
    private static readonly string[] Formats = ["yyyy-MM-dd", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK", "yyyy-MM-dd'T'HH:mmK"];

    /// <summary>Reads a date, an RFC 3339 time (UTC unless it says otherwise), or a span from now such as <c>90d</c>.</summary>
    /// <param name="text">The text.</param>
    /// <param name="now">The present.</param>
    /// <param name="ahead">Whether a span counts into the future rather than the past.</param>
    /// <param name="time">The time.</param>
    public static bool TryParse(string text, DateTime now, bool ahead, out DateTime time)
    {
        ArgumentNullException.ThrowIfNull(text);
        const DateTimeStyles utc = DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal;
        if (DateTime.TryParseExact(text, Formats, CultureInfo.InvariantCulture, utc, out time)) return true;
        if (!TrySpan(text, out var span)) return false;
        time = ahead ? now + span : now - span;
        return true;
    }

    /// <summary>A time to the second.</summary>
    public static string Show(DateTime? time) => time?.ToUniversalTime().ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture) ?? "";

    /// <summary>A span with two or three significant digits.</summary>
    public static string Show(TimeSpan span)
    {
        FormattableString text = span.TotalSeconds switch
        {
            < 0.01 => $"{span.TotalMilliseconds:0.0} ms",
            < 1 => $"{span.TotalMilliseconds:0} ms",
            < 60 => $"{span.TotalSeconds:0.0} s",
            < 3600 => $"{span.Minutes} min {span.Seconds} s",
            < 86400 => $"{span.Hours} h {span.Minutes} min",
            _ => $"{span.Days} d {span.Hours} h",
        };
        return text.ToString(CultureInfo.InvariantCulture);
    }

    private static bool TrySpan(string text, out TimeSpan span)
    {
        span = default;
        if (text.Length < 2 || !int.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out var count) || count > 36500)
            return false;
        span = text[^1] switch
        {
            'd' => TimeSpan.FromDays(count),
            'h' => TimeSpan.FromHours(count),
            'm' => TimeSpan.FromMinutes(count),
            's' => TimeSpan.FromSeconds(count),
            _ => TimeSpan.MinValue,
        };
        return span != TimeSpan.MinValue;
    }
}
