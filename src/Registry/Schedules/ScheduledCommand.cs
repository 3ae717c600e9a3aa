using Microsoft.Extensions.Logging;
using Pipeline.Registry.Bus;
using Pipeline.Registry.Faults;
using Quartz;

namespace Pipeline.Registry.Schedules;

/// <summary>What the scheduler runs: it sends the command of the schedule that fired. Shared stores keep this type's name, so it stays.</summary>
public sealed class ScheduledCommand(ScheduleList schedules, IDoorbell doorbell, ILogger<ScheduledCommand> logger) : IJob
{
    /// <inheritdoc/>
    public async ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(context);
        var name = context.JobDetail.Key.Name;
        if (schedules.Find(name) is not { } schedule)
        {
            // Its processes are of another version than this one, and run it themselves.
            logger.LogDebug("no schedule {Schedule} is known here", name);
            return;
        }

        FaultPoints.Reach("schedule.fired");
        await schedule.Ring(doorbell, Schedule.SlotOf(context.ScheduledFireTimeUtc ?? context.FireTimeUtc)).ConfigureAwait(false);
    }
}
