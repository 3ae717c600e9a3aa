using System.Diagnostics;
using MassTransit;
using Microsoft.Extensions.Logging;
using Pipeline.Contracts.Upkeep;
using Pipeline.Registry.Bus;
using Pipeline.Registry.Database;
using Pipeline.Registry.Failures;
using Pipeline.Registry.Faults;
using Pipeline.Registry.Schedules;
using Pipeline.Registry.Telemetry;
using Pipeline.Registry.Truth;

namespace Pipeline.Workers.Reconciliation;

/// <summary>Compares the database with both indexes, the object store and the caches, page by page, and mends what is derivable.</summary>
/// <remarks>
/// Triggered by: <see cref="Reconcile"/>, from the schedule, the admin API or the sweep.
/// Produces: a row of the run with its differences; where it mends: renderings, free keys, purges.
/// Safe to repeat because: it looks before it writes, and mends by means that may all be repeated; a page is noted together with where the next begins; a slot is done once.
/// Ordered/locked by: the right to long work, one process at a time (<see cref="LongWork"/>); the claims, the git writer's lease and the reservations of what it mends.
/// May run in parallel: no.
/// </remarks>
public sealed class ReconcileConsumer(
    IDatabase database, LongWork work, CratePages crates, StrayFiles strays, StrayObjects objects, ServedCopies served, IDoorbell doorbell, ScheduleSlots slots,
    ScheduleOptions options, ILogger<ReconcileConsumer> logger) : IConsumer<Reconcile>
{
    // A broker takes a message back that is not answered for half an hour. The row is the state: another bell goes on.
    private static readonly TimeSpan LongestTurn = TimeSpan.FromMinutes(10);

    /// <inheritdoc/>
    public async Task Consume(ConsumeContext<Reconcile> context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var (stage, slot) = (context.Run(), context.Message.Slot);
        stage.Outcome = StageRun.Nothing;
        if (await slots.IsDoneAsync(ReconcileDefinition.Queue, slot, context.CancellationToken).ConfigureAwait(false)) return;
        await using var turn = await work.TryBeginAsync(context.CancellationToken).ConfigureAwait(false);
        if (turn is null) return;
        // At the start of a process a schedule sends no slot: then only what stands open is gone on with.
        var run = slot is null
            ? await database.ReadAsync(ReconcileRuns.OpenAsync, turn.Stop).ConfigureAwait(false)
            : await database.WriteAsync(sql => ReconcileRuns.AskAsync(sql, "schedule", options.ReconcileRepair), turn.Stop).ConfigureAwait(false);
        if (run is null) return;

        stage.Outcome = StageRun.Done;
        try
        {
            if (!await RunAsync(run, turn.Stop).ConfigureAwait(false))
            {
                await doorbell.RingAsync(new Reconcile(slot, run.Id)).ConfigureAwait(false);
                return;
            }
        }
        catch (OperationCanceledException) when (turn.IsLost)
        {
            logger.LogWarning("run {Run} of reconcile has lost its lease; whoever took it over goes on", run.Id);
            return;
        }
        catch (Exception e) when (e is not TransientException and not OperationCanceledException)
        {
            // Somebody waits for the end of it. It is filed as a fault all the same.
            await database.WriteAsync(sql => ReconcileRuns.EndAsync(sql, run.Id, e.Message)).ConfigureAwait(false);
            throw;
        }

        await slots.DoneAsync(ReconcileDefinition.Queue, slot).ConfigureAwait(false);
    }

    // False: it is not over, but others should have a turn.
    private async Task<bool> RunAsync(ReconcileRun run, CancellationToken cancellationToken)
    {
        IReadOnlyList<IReconcilePhase> phases = [crates, strays.OfSparse, strays.OfGit, objects.Bytes, objects.Records, objects.Staging, served];
        var (phase, position) = (phases.Select(static one => one.Name).ToList().IndexOf(run.Phase ?? phases[0].Name), run.Position);
        var began = Stopwatch.GetTimestamp();
        while (phase >= 0 && phase < phases.Count)
        {
            await foreach (var (page, next) in phases[phase].PagesAsync(run, position, cancellationToken).ConfigureAwait(false))
            {
                await database.WriteAsync(sql => ReconcileRuns.NoteAsync(sql, run.Id, phases[phase].Name, next, page), cancellationToken).ConfigureAwait(false);
                FaultPoints.Reach("reconcile.page");
                position = next;
                if (next is not null && Stopwatch.GetElapsedTime(began) > LongestTurn) return false;
            }

            (phase, position) = (phase + 1, null);
            if (phase == phases.Count) break;
            await database.WriteAsync(sql => ReconcileRuns.NoteAsync(sql, run.Id, phases[phase].Name, null, new ReconcilePage(0, 0, 0, [])), cancellationToken).ConfigureAwait(false);
        }

        await database.WriteAsync(sql => ReconcileRuns.EndAsync(sql, run.Id, null), cancellationToken).ConfigureAwait(false);
        var ended = await database.ReadAsync(sql => ReconcileRuns.FindAsync(sql, run.Id), cancellationToken).ConfigureAwait(false);
        if (ended is { Open: > 0 }) logger.LogWarning("run {Run} of reconcile found {Found} differences, {Open} of them are open", run.Id, ended.Found, ended.Open);
        return true;
    }
}

/// <summary>A part of a run: what is compared with what, page by page.</summary>
public interface IReconcilePhase
{
    /// <summary>Its name in the run's row.</summary>
    string Name { get; }

    /// <summary>Compares page by page, each with the place where the next begins; null where the phase can only begin anew.</summary>
    /// <param name="run">The run.</param>
    /// <param name="position">Where to go on; null: at the beginning.</param>
    /// <param name="cancellationToken">Ends it.</param>
    IAsyncEnumerable<(ReconcilePage Page, string? Next)> PagesAsync(ReconcileRun run, string? position, CancellationToken cancellationToken);
}
