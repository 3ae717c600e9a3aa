namespace Pipeline.Registry.Database;

/// <summary>Times as the database keeps them: UTC microseconds since 1970.</summary>
public static class Microseconds
{
    /// <summary>One second.</summary>
    public const long Second = 1_000_000;

    /// <summary>The microseconds of a moment.</summary>
    public static long Of(DateTimeOffset time) => (time.UtcTicks - DateTimeOffset.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond;

    /// <summary>The microseconds of a span.</summary>
    public static long Of(TimeSpan span) => span.Ticks / TimeSpan.TicksPerMicrosecond;

    /// <summary>The moment of a count of microseconds.</summary>
    public static DateTimeOffset Time(long microseconds) => DateTimeOffset.UnixEpoch.AddTicks(microseconds * TimeSpan.TicksPerMicrosecond);
}
