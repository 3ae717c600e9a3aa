using Pipeline.Contracts.Upkeep;
using Pipeline.Registry.Options;
using Pipeline.Registry.Schedules;
using Pipeline.Workers.Reconciliation;

namespace Pipeline.Workers.Upkeep;

/// <summary>What upkeep does by the clock. A schedule has the name of its command's queue.</summary>
public static class UpkeepSchedules
{
    /// <summary>The sweep's.</summary>
    public const string Sweep = "sweep";

    /// <summary>The staging clean-up's.</summary>
    public const string CleanStaging = "clean-staging";

    /// <summary>Reconcile's.</summary>
    public const string Reconcile = ReconcileDefinition.Queue;

    /// <summary>The squash's.</summary>
    public const string SquashIndex = "squash-index";

    /// <summary>All of them.</summary>
    /// <exception cref="InvalidOperationException">An interval is too short; the message names its key.</exception>
    public static IReadOnlyList<Schedule> Of(WorkerOptions workers, ScheduleOptions schedules)
    {
        ArgumentNullException.ThrowIfNull(workers);
        ArgumentNullException.ThrowIfNull(schedules);
        return
        [
            Schedule.Of(Sweep, workers.SweepSeconds, "Workers:SweepSeconds", static (bell, slot) => bell.RingAsync(new Sweep(slot))),
            Schedule.Of(CleanStaging, schedules.CleanStagingSeconds, "Schedules:CleanStagingSeconds", static (bell, slot) => bell.RingAsync(new CleanStaging(slot))),
            Schedule.Of(Reconcile, schedules.ReconcileSeconds, "Schedules:ReconcileSeconds", static (bell, slot) => bell.RingAsync(new Contracts.Upkeep.Reconcile(slot))),
            Schedule.Of(SquashIndex, schedules.SquashHours * 3600, "Schedules:SquashHours", static (bell, slot) => bell.RingAsync(new SquashIndex(slot))),
        ];
    }
}
