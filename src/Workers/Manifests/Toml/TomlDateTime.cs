using System.Globalization;
using System.Text;

namespace Pipeline.Workers.Manifests.Toml;

/// <summary>A date, a time, or both, with or without an offset from UTC.</summary>
public sealed class TomlDateTime : TomlValue
{
    internal TomlDateTime(TomlDate? date, TomlTime? time, int? offsetMinutes, TomlSpan span) : base(span)
    {
        Date = date;
        Time = time;
        OffsetMinutes = offsetMinutes;
    }

    /// <summary>The date; null for a local time.</summary>
    public TomlDate? Date { get; }

    /// <summary>The time; null for a local date.</summary>
    public TomlTime? Time { get; }

    /// <summary>Minutes east of UTC; null for the local types.</summary>
    public int? OffsetMinutes { get; }

    /// <summary>The type, which follows from the parts that are there.</summary>
    public TomlDateTimeKind Kind =>
        Date is null ? TomlDateTimeKind.LocalTime
        : Time is null ? TomlDateTimeKind.LocalDate
        : OffsetMinutes is null ? TomlDateTimeKind.LocalDateTime
        : TomlDateTimeKind.OffsetDateTime;

    /// <summary>
    /// The value as RFC 3339 writes it: <c>T</c> between date and time, seconds always, <c>Z</c> for offset 0, no trailing zeros of a fraction.
    /// </summary>
    public override string ToString()
    {
        var text = new StringBuilder(35);
        if (Date is { } date)
            text.Append(CultureInfo.InvariantCulture, $"{date.Year:D4}-{date.Month:D2}-{date.Day:D2}");
        if (Date is not null && Time is not null)
            text.Append('T');
        if (Time is { } time)
            AppendTime(text, time);
        if (OffsetMinutes is { } offset)
            AppendOffset(text, offset);
        return text.ToString();
    }

    private static void AppendTime(StringBuilder text, TomlTime time)
    {
        text.Append(CultureInfo.InvariantCulture, $"{time.Hour:D2}:{time.Minute:D2}:{time.Second:D2}");
        if (time.Nanosecond != 0)
            text.Append('.').Append(time.Nanosecond.ToString("D9", CultureInfo.InvariantCulture).TrimEnd('0'));
    }

    private static void AppendOffset(StringBuilder text, int minutes)
    {
        if (minutes == 0)
            text.Append('Z');
        else
            text.Append(CultureInfo.InvariantCulture, $"{(minutes < 0 ? '-' : '+')}{Math.Abs(minutes) / 60:D2}:{Math.Abs(minutes) % 60:D2}");
    }
}
