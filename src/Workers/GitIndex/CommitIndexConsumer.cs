using MassTransit;
using Pipeline.Contracts.Index;
using Pipeline.Registry.Failures;
using Pipeline.Registry.Telemetry;

namespace Pipeline.Workers.GitIndex;

/// <summary>Brings the git index up to the database, whatever crates lag behind.</summary>
/// <remarks>
/// Triggered by: <see cref="CommitIndex"/>, a bell without a key, from publish, yank and deletion, or from the sweep.
/// Produces: commits in the git index, a push when there is a remote, and how far each crate's git projection has got.
/// Safe to repeat because: it reads what lags, compares each file with the tip's, and commits only what differs.
/// Ordered/locked by: the oldest change a crate lacks; a lease among processes, and the writer's lock beside the repository, which git's children hold too.
/// May run in parallel: no, one batch after another; a second one would wait for the lease and find nothing to do.
/// </remarks>
public sealed class CommitIndexConsumer(GitIndexWriter writer, GitIndexRow index) : IConsumer<CommitIndex>
{
    /// <inheritdoc/>
    public async Task Consume(ConsumeContext<CommitIndex> context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var run = context.Run();
        // Most bells find that another batch has taken their crate along.
        run.Outcome = StageRun.Nothing;
        if (await index.IsPutOffAsync(context.CancellationToken).ConfigureAwait(false)) return;
        try
        {
            if (await writer.DrainAsync(context.CancellationToken).ConfigureAwait(false) is not { } reached) return;
            await index.CameThroughAsync().ConfigureAwait(false);
            if (reached > 0) (run.Outcome, run.Moved) = (StageRun.Done, reached);
        }
        catch (TransientException e)
        {
            run.Fail(e);
            await index.FailedAsync(e).ConfigureAwait(false);
        }
    }
}
