using MassTransit;
using Microsoft.Extensions.Logging;
using Pipeline.Contracts.Upkeep;
using Pipeline.Registry.Database;
using Pipeline.Registry.Git;
using Pipeline.Registry.Schedules;
using Pipeline.Registry.Telemetry;
using Pipeline.Registry.Truth;
using Pipeline.Workers.GitIndex;
using Pipeline.Workers.Upkeep;

namespace Pipeline.Workers.Squash;

/// <summary>Squashes the git index into one commit when that is due; the history goes to a snapshot branch (crates-io-behaviour §4.3).</summary>
/// <remarks>
/// Triggered by: <see cref="SquashIndex"/>, from the schedule, an operator's wish or the sweep.
/// Produces: a branch <c>snapshot-DATE</c> with the history, and one commit without parents in its place; with a remote both are pushed at once.
/// Safe to repeat because: what was asked for is noted as done with the squash; a single commit is left alone; a slot that was done is too.
/// Ordered/locked by: the git writer's lease and lock, so no batch comes between.
/// May run in parallel: no; a second one would find nothing to do.
/// </remarks>
public sealed class SquashIndexConsumer(
    IDatabase database, IndexRepository repository, GitIndexOptions options, GitIndexWriter writer, ScheduleSlots slots, ILogger<SquashIndexConsumer> logger) : IConsumer<SquashIndex>
{
    /// <inheritdoc/>
    public async Task Consume(ConsumeContext<SquashIndex> context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var (run, slot) = (context.Run(), context.Message.Slot);
        if (!await slots.IsDoneAsync(UpkeepSchedules.SquashIndex, slot, context.CancellationToken).ConfigureAwait(false) && slot is not null && options.SquashAfterCommits > 0
            && await repository.CountAsync(context.CancellationToken).ConfigureAwait(false) >= options.SquashAfterCommits)
            await database.WriteAsync(SquashRow.WantAsync).ConfigureAwait(false);
        await slots.DoneAsync(UpkeepSchedules.SquashIndex, slot).ConfigureAwait(false);

        if (!await database.ReadAsync(SquashRow.IsDueAsync, context.CancellationToken).ConfigureAwait(false) || await writer.SquashAsync(context.CancellationToken).ConfigureAwait(false) is not { } squashed)
        {
            run.Outcome = StageRun.Nothing;
            return;
        }

        logger.LogInformation("the git index was squashed into {Commit}; its history is on {Branch}", squashed.To, squashed.Branch);
    }
}
