using System.ComponentModel.DataAnnotations;

namespace Pipeline.Registry.Schedules;

/// <summary>What happens by the clock. Section <c>Schedules</c>.</summary>
public sealed record ScheduleOptions
{
    /// <summary>Seconds between two clean-ups of the staging area.</summary>
    public double CleanStagingSeconds { get; init; } = 600;

    /// <summary>Seconds between two runs of reconcile.</summary>
    public double ReconcileSeconds { get; init; } = 86400;

    /// <summary>Whether a run that the schedule starts mends what is derivable.</summary>
    public bool ReconcileRepair { get; init; } = true;

    /// <summary>How many versions' bytes a run reads and hashes, others each time; of all others it looks at the length.</summary>
    public int ReconcileHashes { get; init; } = 1000;

    /// <summary>How many index files a run looks at through each cache, others each time.</summary>
    public int ReconcileCacheSample { get; init; } = 100;

    /// <summary>Hours between two looks at whether the git index has enough history to be squashed.</summary>
    public double SquashHours { get; init; } = 24;

    /// <summary>Every how many seconds the schedulers that share a database say that they are alive. One that was silent twice as long is dead; the others do its work.</summary>
    [Range(0.1, 3600.0)]
    public double CheckinSeconds { get; init; } = 5;

    /// <summary>How many hours it is remembered that a slot's work was done.</summary>
    [Range(0.01, 100_000.0)]
    public double KeepSlotsHours { get; init; } = 24;
}
