using System.Globalization;
using System.Text.Json;
using Pipeline.Registry.Database;

namespace Pipeline.Api.Http;

/// <summary>Times on the wire: RFC 3339 in UTC, with microseconds.</summary>
public static class Rfc3339
{
    private const string Format = "yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'";

    /// <summary>A time as written.</summary>
    public static string ToText(DateTimeOffset time) => time.UtcDateTime.ToString(Format, CultureInfo.InvariantCulture);

    /// <summary>Writes a time of the database.</summary>
    public static void WriteTime(this Utf8JsonWriter json, string name, long microseconds)
    {
        Span<byte> text = stackalloc byte[32];
        Microseconds.Time(microseconds).UtcDateTime.TryFormat(text, out var length, Format, CultureInfo.InvariantCulture);
        json.WriteString(name, text[..length]);
    }

    /// <summary>Writes a time, or null.</summary>
    public static void WriteTime(this Utf8JsonWriter json, string name, DateTimeOffset? time) => json.WriteString(name, time is { } value ? ToText(value) : null);
}
