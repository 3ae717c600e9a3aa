using MassTransit;
using Pipeline.Contracts.Index;

namespace Pipeline.Workers.GitIndex;

/// <summary>Brings the git index up to the database, whatever crates lag behind.</summary>
/// <remarks>
/// Triggered by: <see cref="CommitIndex"/>, a bell without a key, from publish, yank and deletion, or from the sweep.
/// Produces: commits in the git index, and how far each crate's git projection has got.
/// Safe to repeat because: it reads what lags, compares each file with the tip's, and commits only what differs.
/// Ordered/locked by: the oldest change a crate lacks; the writer's lock beside the repository, which git's children hold too.
/// May run in parallel: no, one batch after another; a second one would wait for the lock and find nothing to do.
/// </remarks>
public sealed class CommitIndexConsumer(GitIndexWriter writer) : IConsumer<CommitIndex>
{
    /// <inheritdoc/>
    public Task Consume(ConsumeContext<CommitIndex> context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return writer.DrainAsync(context.CancellationToken);
    }
}
