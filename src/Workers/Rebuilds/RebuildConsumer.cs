using MassTransit;
using Microsoft.Extensions.Logging;
using Pipeline.Contracts.Upkeep;
using Pipeline.Registry.Database;
using Pipeline.Registry.Failures;
using Pipeline.Registry.Telemetry;
using Pipeline.Registry.Truth;

namespace Pipeline.Workers.Rebuilds;

/// <summary>Makes a projection anew from the database: into place, or into a folder of this machine.</summary>
/// <remarks>
/// Triggered by: <see cref="Rebuild"/>, from the admin API or the sweep.
/// Produces: the index as the database has it; its row says how far it is and what came of it.
/// Safe to repeat because: files are made beside what is served, and take its place at once; an attempt that was cut off is begun anew, or gone on with where each crate stands for itself.
/// Ordered/locked by: the right to long work, one process at a time (<see cref="LongWork"/>); the git writer's lease; the claims of the sparse renderer.
/// May run in parallel: no.
/// </remarks>
public sealed class RebuildConsumer(IDatabase database, LongWork work, SparseRebuild sparse, GitRebuild git, SearchRebuild search, ILogger<RebuildConsumer> logger) : IConsumer<Rebuild>
{
    /// <inheritdoc/>
    public async Task Consume(ConsumeContext<Rebuild> context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var (id, run) = (context.Message.Id, context.Run());
        run.Outcome = StageRun.Nothing;
        if (await database.ReadAsync(sql => RebuildRows.FindAsync(sql, id), context.CancellationToken).ConfigureAwait(false) is not { IsOver: false } row) return;
        await using var turn = await work.TryBeginAsync(context.CancellationToken).ConfigureAwait(false);
        if (turn is null) return;

        run.Outcome = StageRun.Done;
        try
        {
            var progress = await RebuildProgress.BeginAsync(database, row, turn.Stop).ConfigureAwait(false);
            var result = await RunAsync(row, progress, turn.Stop).ConfigureAwait(false);
            await progress.EndAsync().ConfigureAwait(false);
            await database.WriteAsync(sql => RebuildRows.EndAsync(sql, id, RebuildStates.Done, result, null)).ConfigureAwait(false);
            logger.LogInformation("rebuild {Id} of {Kind}: {Result}", id, row.Kind, result);
        }
        catch (OperationCanceledException) when (turn.IsLost)
        {
            logger.LogWarning("rebuild {Id} has lost its lease; whoever took it over goes on", id);
        }
        catch (Exception e) when (e is not TransientException and not OperationCanceledException)
        {
            // Somebody waits for the end of it. It is filed as a fault all the same.
            await database.WriteAsync(sql => RebuildRows.EndAsync(sql, id, RebuildStates.Failed, null, e.Message)).ConfigureAwait(false);
            throw;
        }
    }

    // A further projection has its rebuild here.
    private Task<string> RunAsync(RebuildRow row, RebuildProgress progress, CancellationToken cancellationToken) => row.Kind switch
    {
        ProjectionKinds.Sparse => sparse.RunAsync(row, progress, cancellationToken),
        ProjectionKinds.Git => git.RunAsync(row, progress, cancellationToken),
        ProjectionKinds.Search => search.RunAsync(row, progress, cancellationToken),
        var kind => throw new InvalidOperationException($"there is no rebuild of {kind}"),
    };
}
