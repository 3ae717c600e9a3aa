namespace Pipeline.Registry.Schedules;

/// <summary>What happens by the clock. Section <c>Schedules</c>.</summary>
public sealed record ScheduleOptions
{
    /// <summary>Seconds between two clean-ups of the staging area.</summary>
    public double CleanStagingSeconds { get; init; } = 600;

    /// <summary>Every how many seconds the schedulers that share a database say that they are alive. One that was silent twice as long is dead; the others do its work.</summary>
    public double CheckinSeconds { get; init; } = 5;

    /// <summary>How many hours it is remembered that a slot's work was done.</summary>
    public double KeepSlotsHours { get; init; } = 24;
}
