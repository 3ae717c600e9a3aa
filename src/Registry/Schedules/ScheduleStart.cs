using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Pipeline.Registry.Bus;
using Quartz;

namespace Pipeline.Registry.Schedules;

/// <summary>Sends every command once at the start of a process, and sees to it that the scheduler has every schedule. What another process put there stays.</summary>
public sealed class ScheduleStart(ISchedulerFactory schedulers, ScheduleList schedules, IDoorbell doorbell, TimeProvider clock, ILogger<ScheduleStart> logger) : BackgroundService
{
    /// <summary>The group of our triggers and jobs.</summary>
    internal const string Group = "pipeline";

    private static readonly TimeSpan AskAgain = TimeSpan.FromSeconds(5);

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        foreach (var schedule in schedules.All) await schedule.Ring(doorbell, null).ConfigureAwait(false);
        while (true)
        {
            try
            {
                var scheduler = await schedulers.GetScheduler(stoppingToken).ConfigureAwait(false);
                foreach (var schedule in schedules.All) await EnsureAsync(scheduler, schedule, stoppingToken).ConfigureAwait(false);
                return;
            }
            catch (SchedulerException e)
            {
                logger.LogWarning(e, "the schedules cannot be set now");
                await Task.Delay(AskAgain, clock, stoppingToken).ConfigureAwait(false);
            }
        }
    }

    private async Task EnsureAsync(IScheduler scheduler, Schedule schedule, CancellationToken cancellationToken)
    {
        var key = new TriggerKey(schedule.Name, Group);
        var there = await scheduler.GetTrigger(key, cancellationToken).ConfigureAwait(false);
        if (there is ISimpleTrigger simple && simple.RepeatInterval == schedule.Every)
        {
            // A process of another version may have been unable to run it.
            await scheduler.ResetTriggerFromErrorState(key, cancellationToken).ConfigureAwait(false);
            return;
        }

        var job = JobBuilder.Create<ScheduledCommand>().WithIdentity(schedule.Name, Group).RequestRecovery().Build();
        // A slot that was missed for long is left out: the next one does its work.
        var trigger = TriggerBuilder.Create(clock)
            .WithIdentity(key)
            .ForJob(job)
            .StartAt(schedule.After(clock.GetUtcNow()))
            .WithSimpleSchedule(every => every.WithInterval(schedule.Every).RepeatForever().WithMisfireInstruction(SimpleTriggerMisfireInstruction.NextWithExistingCount))
            .Build();
        try
        {
            // Of processes that start together the first one's schedule stands: put over it, another would fire the same slot again.
            await scheduler.ScheduleJob(job, [trigger], new ScheduleJobOptions { Replace = there is not null }, cancellationToken).ConfigureAwait(false);
        }
        catch (ObjectAlreadyExistsException)
        {
            logger.LogDebug("another process was first to set {Schedule}", schedule.Name);
        }
    }
}
