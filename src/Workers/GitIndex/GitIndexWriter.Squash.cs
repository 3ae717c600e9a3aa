using Pipeline.Contracts.Index;
using Pipeline.Registry.Failures;
using Pipeline.Registry.Faults;
using Pipeline.Registry.Git;
using Pipeline.Registry.Truth;

namespace Pipeline.Workers.GitIndex;

/// <summary>Squashes the index: under the writer's lease and lock like every batch, so that no commit comes between.</summary>
public sealed partial class GitIndexWriter
{
    /// <summary>Puts the history on a branch of its own and leaves one commit with the same files.</summary>
    /// <returns>What it did; null: there is no history.</returns>
    /// <exception cref="TransientException">Another process writes, or git, its remote or the database cannot be used now.</exception>
    public async Task<Squashed?> SquashAsync(CancellationToken cancellationToken)
    {
        var began = clock.GetTimestamp();
        while (!await lease.TryTakeAsync(cancellationToken).ConfigureAwait(false))
        {
            if (clock.GetElapsedTime(began).TotalSeconds > options.LeaseSeconds + 1) throw new TransientException("git-writer-busy", "another process is writing the git index");
            await Task.Delay(AskAgain, clock, cancellationToken).ConfigureAwait(false);
        }

        await using var keeper = new LeaseKeeper(lease, clock, cancellationToken);
        try
        {
            await using var session = await repository.BeginWriteAsync(keeper.Stop).ConfigureAwait(false);
            return await SquashAsync(session, keeper, keeper.Stop).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (keeper.IsLost && !cancellationToken.IsCancellationRequested)
        {
            throw new TransientException("git-writer-busy", "the lease of the git writer was lost to another process");
        }
    }

    private async Task<Squashed?> SquashAsync(IndexSession session, LeaseKeeper keeper, CancellationToken cancellationToken)
    {
        for (var moves = 0; moves < MovesInSuccession; moves++)
        {
            await CatchUpAsync(session, keeper, cancellationToken).ConfigureAwait(false);
            var (tip, _) = await session.LookUpAsync([], cancellationToken).ConfigureAwait(false);
            // One commit is what a squash leaves, also one that could not be noted any more.
            if (tip is null || await session.CountAsync(cancellationToken).ConfigureAwait(false) <= 1)
            {
                await NoteSquashAsync(null, null, keeper, cancellationToken).ConfigureAwait(false);
                return null;
            }

            await session.PackAsync(cancellationToken).ConfigureAwait(false);
            var branch = IndexSession.SnapshotName(clock.GetUtcNow(), tip, await TakenAsync(session, cancellationToken).ConfigureAwait(false));
            var single = await session.CollapseAsync(tip, CommitMessage.ForSquash(tip, branch), cancellationToken).ConfigureAwait(false);
            FaultPoints.Reach("squash.made");
            // The lease is asked for once more: from here on it is seen.
            if (!await lease.RenewAsync(cancellationToken).ConfigureAwait(false)) await LoseAsync(keeper, cancellationToken).ConfigureAwait(false);
            if (session.Remote is null) await session.MoveAsync(tip, single, branch, cancellationToken).ConfigureAwait(false);
            else if (!await remote.PushSquashAsync(session, tip, single, branch, cancellationToken).ConfigureAwait(false)) continue;
            FaultPoints.Reach("squash.moved");

            var squashed = new Squashed(tip, single, branch);
            await NoteSquashAsync(squashed, session.Remote is null ? null : single, keeper, cancellationToken).ConfigureAwait(false);
            // Clients ask for the new commit next: with a bitmap that has it, they are sent no more than they lack.
            await session.PackAsync(cancellationToken).ConfigureAwait(false);
            return squashed;
        }

        throw RemoteIndex.Restless();
    }

    private static async Task<IReadOnlyDictionary<string, string>> TakenAsync(IndexSession session, CancellationToken cancellationToken)
    {
        var here = await session.SnapshotsAsync(cancellationToken).ConfigureAwait(false);
        if (session.Remote is null) return here;
        var taken = new Dictionary<string, string>(here, StringComparer.Ordinal);
        foreach (var (name, commit) in await session.Remote.SnapshotsAsync(cancellationToken).ConfigureAwait(false)) taken[name] = commit;
        return taken;
    }

    private async Task NoteSquashAsync(Squashed? squashed, string? confirmed, LeaseKeeper keeper, CancellationToken cancellationToken)
    {
        var noted = await database.WriteAsync(
            async sql =>
            {
                if (!await lease.KeepAsync(sql).ConfigureAwait(false)) return false;
                if (confirmed is not null) await RemoteIndex.NoteAsync(sql, confirmed).ConfigureAwait(false);
                await SquashRow.DoneAsync(sql, squashed).ConfigureAwait(false);
                return true;
            },
            CancellationToken.None).ConfigureAwait(false);
        if (!noted) await LoseAsync(keeper, cancellationToken).ConfigureAwait(false);
    }

    private static async Task LoseAsync(LeaseKeeper keeper, CancellationToken cancellationToken)
    {
        await keeper.LoseAsync().ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();
    }
}
