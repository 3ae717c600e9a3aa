using MassTransit;
using Pipeline.Contracts.Upkeep;
using Pipeline.Registry.Schedules;

namespace Pipeline.Workers.Upkeep;

/// <summary>Keeps the staging area to what is still wanted.</summary>
/// <remarks>
/// Triggered by: <see cref="CleanStaging"/>, from the schedule.
/// Produces: free space in the staging area.
/// Safe to repeat because: it removes what no undecided publish names, after a time of grace; a slot that was done is left alone.
/// Ordered/locked by: nothing.
/// May run in parallel: yes.
/// </remarks>
public sealed class CleanStagingConsumer(StagingCleanup staging, ScheduleSlots slots) : IConsumer<CleanStaging>
{
    /// <inheritdoc/>
    public async Task Consume(ConsumeContext<CleanStaging> context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var slot = context.Message.Slot;
        if (await slots.IsDoneAsync(UpkeepSchedules.CleanStaging, slot, context.CancellationToken).ConfigureAwait(false)) return;
        await staging.RunAsync().ConfigureAwait(false);
        await slots.DoneAsync(UpkeepSchedules.CleanStaging, slot).ConfigureAwait(false);
    }
}
