namespace Pipeline.Workers.Manifests.Toml;

/// <summary>Which of TOML's four date-time types a value has.</summary>
public enum TomlDateTimeKind
{
    /// <summary>A point in time: date, time and offset.</summary>
    OffsetDateTime,

    /// <summary>Date and time without an offset.</summary>
    LocalDateTime,

    /// <summary>A date alone.</summary>
    LocalDate,

    /// <summary>A time alone.</summary>
    LocalTime,
}
