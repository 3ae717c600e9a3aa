using System.Diagnostics;
using System.Globalization;
using System.Text;
using Microsoft.Extensions.Logging;
using Pipeline.Registry.Database;
using Pipeline.Registry.Failures;
using Pipeline.Registry.Faults;
using Pipeline.Registry.Git;
using Pipeline.Registry.Truth;

namespace Pipeline.Workers.GitIndex;

/// <summary>
/// Brings the git index up to the database: reads what lags, commits one batch after another, and notes how far each crate has got.
/// Everything from the first read to the last note happens under the lease, which chooses one process among all machines, and under the
/// writer's lock, which its git inherits: so an older rendering can never follow a newer one, and a process that has lost the lease notes nothing.
/// </summary>
public sealed partial class GitIndexWriter(IDatabase database, IndexRepository repository, GitIndexOptions options, FailureLog failures, Lease lease, RemoteIndex remote, TimeProvider clock, ILogger<GitIndexWriter> logger)
{
    /// <summary>The name of the lease.</summary>
    public const string LeaseName = "git-writer";

    private const int MovesInSuccession = 5;
    private static readonly HashSet<long> NothingTaken = [];
    private static readonly TimeSpan AskAgain = TimeSpan.FromSeconds(0.5);

    private static readonly (string, string)[] ReachedColumns = [("crate_id", "BIGINT"), ("revision", "BIGINT"), ("path", "TEXT"), ("last_change", "BIGINT")];

    private readonly LaggingCrates _lagging = new(database);
    private long _lastBatch;

    /// <summary>
    /// Commits until nothing lags that is due, as the holder of the lease. While another process holds it, that one is waited for, as long as a
    /// lease lasts that is not renewed: it may be dead, with nobody else to hear the bell.
    /// </summary>
    /// <returns>How many crates this process brought up to date; null: another process is the writer.</returns>
    /// <exception cref="TransientException">The database or git cannot be used now, or another writer has not ended; what was committed is kept.</exception>
    public async Task<int?> DrainAsync(CancellationToken cancellationToken)
    {
        if (!(repository.HasRemote && remote.MustAsk) && !await _lagging.AnyAsync(cancellationToken).ConfigureAwait(false)) return 0;
        if (await database.ReadAsync(RebuildRows.WantsGitAsync, cancellationToken).ConfigureAwait(false)) return null;
        await GatherAsync(cancellationToken).ConfigureAwait(false);
        while (await TakeLeaseAsync(cancellationToken).ConfigureAwait(false))
        {
            await using var keeper = new LeaseKeeper(lease, clock, cancellationToken);
            try
            {
                return await DrainAsync(keeper, keeper.Stop).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (keeper.IsLost && !cancellationToken.IsCancellationRequested)
            {
                logger.LogWarning("the lease of the git writer is lost; whoever took it over goes on");
            }
        }

        return null;
    }

    /// <summary>
    /// Writes to the index otherwise than from lagging rows: as the one writer, on top of what stands, the remote's word included. The work may
    /// run again when the remote has moved.
    /// </summary>
    /// <param name="work">Given the session and the tip; returns the new commit, on top of it: on the branch already where there is no remote; null: none.</param>
    /// <param name="cancellationToken">Ends the wait and the work.</param>
    /// <returns>The new commit; null: there was nothing to commit.</returns>
    /// <exception cref="TransientException">Another process is the writer and goes on writing, or git, its remote or the database cannot be used.</exception>
    public async Task<string?> WriteAsync(Func<IndexSession, string?, CancellationToken, Task<string?>> work, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(work);
        var began = clock.GetTimestamp();
        while (!await lease.TryTakeAsync(cancellationToken).ConfigureAwait(false))
        {
            if (clock.GetElapsedTime(began).TotalSeconds > 2 * (options.LeaseSeconds + 1)) throw new TransientException("git-writer-busy", "another process goes on writing to the git index");
            await Task.Delay(AskAgain, clock, cancellationToken).ConfigureAwait(false);
        }

        await using var keeper = new LeaseKeeper(lease, clock, cancellationToken);
        await using var session = await repository.BeginWriteAsync(keeper.Stop).ConfigureAwait(false);
        remote.Doubt();
        for (var moves = 0; moves < MovesInSuccession; moves++)
        {
            await CatchUpAsync(session, keeper, keeper.Stop).ConfigureAwait(false);
            var (tip, _) = await session.LookUpAsync([], keeper.Stop).ConfigureAwait(false);
            if (await work(session, tip, keeper.Stop).ConfigureAwait(false) is not { } next) return null;
            if (session.Remote is null) return next;
            if (!await remote.PushAsync(session, tip, next, keeper.Stop).ConfigureAwait(false)) continue;
            // Not noted: whoever holds the lease next compares what stands with what the rows speak of, and looks at these files again.
            await database.WriteAsync(async sql => await lease.KeepAsync(sql).ConfigureAwait(false) ? await RemoteIndex.NoteAsync(sql, next).ConfigureAwait(false) : 0, CancellationToken.None).ConfigureAwait(false);
            return next;
        }

        throw RemoteIndex.Restless();
    }

    private async Task<bool> TakeLeaseAsync(CancellationToken cancellationToken)
    {
        var began = clock.GetTimestamp();
        while (!await lease.TryTakeAsync(cancellationToken).ConfigureAwait(false))
        {
            if (clock.GetElapsedTime(began).TotalSeconds > options.LeaseSeconds + 1) return false;
            await Task.Delay(AskAgain, clock, cancellationToken).ConfigureAwait(false);
            if (!await _lagging.AnyAsync(cancellationToken).ConfigureAwait(false)) return false;
        }

        return true;
    }

    private async Task<int> DrainAsync(LeaseKeeper keeper, CancellationToken cancellationToken)
    {
        await using var session = await repository.BeginWriteAsync(cancellationToken).ConfigureAwait(false);
        await CatchUpAsync(session, keeper, cancellationToken).ConfigureAwait(false);
        var batch = await PrepareAsync(session, LaggingCrates.Position.Start, NothingTaken, cancellationToken).ConfigureAwait(false);
        var tip = batch.Tip;
        var (total, moves) = (0, 0);
        while (!batch.Page.IsEmpty)
        {
            // More than a page lags: the next is read and compared while git writes this one. Its crates are others, so are their files.
            var next = batch.Page.End is { } end ? PrepareAsync(session, end, batch.Page.Ahead, cancellationToken) : null;
            try
            {
                if (await WriteAsync(session, keeper, tip, batch, cancellationToken).ConfigureAwait(false) is not { } written)
                {
                    // Somebody else was at the remote first. What stands there now is fetched, and everything is decided anew on top of it.
                    if (++moves == MovesInSuccession) throw RemoteIndex.Restless();
                    if (next is not null) await next.ConfigureAwait(false);
                    await CatchUpAsync(session, keeper, cancellationToken).ConfigureAwait(false);
                    batch = await PrepareAsync(session, LaggingCrates.Position.Start, NothingTaken, cancellationToken).ConfigureAwait(false);
                    tip = batch.Tip;
                    continue;
                }

                (tip, moves) = (written.Tip, 0);
                total += written.Reached;
            }
            catch when (next is not null)
            {
                await ((Task)next).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                throw;
            }

            batch = next is null ? Batch.Nothing : await next.ConfigureAwait(false);
            await session.RepackIfDueAsync(cancellationToken).ConfigureAwait(false);
            if (!batch.Page.IsEmpty) continue;
            if (await database.ReadAsync(RebuildRows.WantsGitAsync, cancellationToken).ConfigureAwait(false)) break;
            if (!await _lagging.AnyAsync(cancellationToken).ConfigureAwait(false)) break;
            await GatherAsync(cancellationToken).ConfigureAwait(false);
            batch = await PrepareAsync(session, LaggingCrates.Position.Start, NothingTaken, cancellationToken).ConfigureAwait(false);
        }

        return total;
    }

    // A batch costs git the same few milliseconds whether it brings one crate or fifty. The first crate after a pause is not kept waiting;
    // those that follow at once share a batch.
    private async Task GatherAsync(CancellationToken cancellationToken)
    {
        var wait = TimeSpan.FromSeconds(options.GatherSeconds) - Stopwatch.GetElapsedTime(_lastBatch);
        if (wait > TimeSpan.Zero) await Task.Delay(wait, cancellationToken).ConfigureAwait(false);
        _lastBatch = Stopwatch.GetTimestamp();
    }

    private async Task<Batch> PrepareAsync(IndexSession session, LaggingCrates.Position after, IReadOnlySet<long> without, CancellationToken cancellationToken)
    {
        var page = await _lagging.NextAsync(after, without, cancellationToken).ConfigureAwait(false);
        if (page.IsEmpty) return Batch.Nothing;
        var paths = GitBatch.Paths(page.Crates);
        var (tip, ids) = await session.LookUpAsync(paths, cancellationToken).ConfigureAwait(false);
        var atTip = new Dictionary<string, string>(paths.Count, StringComparer.Ordinal);
        for (var i = 0; i < paths.Count; i++)
        {
            if (ids[i] is { } id) atTip.Add(paths[i], id);
        }

        return new Batch(tip, page, GitBatch.Plan(CommitOrder.Of(page.Crates, page.Ahead), atTip));
    }

    private async Task CatchUpAsync(IndexSession session, LeaseKeeper keeper, CancellationToken cancellationToken)
    {
        if (session.Remote is null || await remote.CatchUpAsync(session, cancellationToken).ConfigureAwait(false)) return;
        await keeper.LoseAsync().ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();
    }

    // Null: the remote has moved, and nothing was written.
    private async Task<Written?> WriteAsync(IndexSession session, LeaseKeeper keeper, string? tip, Batch batch, CancellationToken cancellationToken)
    {
        using var trace = BatchTrace.Start(batch.Page.Crates);
        FaultPoints.Reach("git.planned");
        var bad = new List<SetAside>(batch.Page.Bad);
        var from = tip;
        tip = await CommitAsync(session, tip, batch.Decision.Commits, options.SeparateCommits, bad, cancellationToken).ConfigureAwait(false);
        if (PlantedBugs.DoubleCommit) tip = await CommitAsync(session, tip, batch.Decision.Commits, options.SeparateCommits, bad, cancellationToken).ConfigureAwait(false);
        FaultPoints.Reach("git.committed");
        if (session.Remote is not null && tip != from && !await remote.PushAsync(session, from, tip!, cancellationToken).ConfigureAwait(false)) return null;

        var reached = Except(batch.Page.Crates, bad);
        if (!await NoteAsync(reached, session.Remote is null ? null : tip).ConfigureAwait(false))
        {
            await keeper.LoseAsync().ConfigureAwait(false);
            cancellationToken.ThrowIfCancellationRequested();
        }

        await trace.NoteAsync(database, reached).ConfigureAwait(false);
        FaultPoints.Reach("git.reached");
        foreach (var crate in bad) await SetAsideAsync(crate).ConfigureAwait(false);
        return new Written(tip, reached.Count);
    }

    // False: the lease is lost. Then it is the next holder's to find out what stands in the index, and to note it.
    private async Task<bool> NoteAsync(IReadOnlyList<LaggingCrate> crates, string? confirmed)
    {
        if (crates.Count == 0) return true;
        var noted = await database.WriteAsync(
            async sql =>
            {
                if (!await lease.KeepAsync(sql).ConfigureAwait(false)) return false;
                if (confirmed is not null) await RemoteIndex.NoteAsync(sql, confirmed).ConfigureAwait(false);
                await Shown.InGitAsync(sql, crates.Select(static crate => crate.LastChange)).ConfigureAwait(false);
                await NoteAsync(sql, Rows(crates)).ConfigureAwait(false);
                return true;
            }).ConfigureAwait(false);
        if (!noted) return false;
        foreach (var crate in crates)
        {
            if (crate.Attempts > 0) await failures.ResolveAsync(CommitIndexDefinition.Row, CommitIndexDefinition.RowKey(crate.CrateId)).ConfigureAwait(false);
        }

        return true;
    }

    // The newest change shown is the mark, not the revision: a further change may have come while git wrote, and then the oldest change
    // behind the mark is the oldest the index lacks (design, section 3; Revisions). Its id and time keep the crate's place in the order.
    private static ValueTask<int> NoteAsync(Statements sql, string rows) => sql.ExecuteAsync(
        $"""
        UPDATE projections SET
            reached = r.revision, reached_at = now_us(), path = r.path, attempts = 0, last_error = NULL, next_try_at = NULL,
            first_change = CASE WHEN wanted > r.revision
                THEN COALESCE((SELECT MIN(h.id) FROM changes h WHERE h.crate_id = projections.crate_id AND h.id > r.last_change), first_change) ELSE first_change END,
            behind_since = CASE WHEN wanted > r.revision
                THEN COALESCE((SELECT h.at FROM changes h WHERE h.crate_id = projections.crate_id AND h.id > r.last_change ORDER BY h.id LIMIT 1), behind_since) ELSE NULL END
        FROM {sql.Dialect.Rows("$1", ReachedColumns)} r
        WHERE projections.crate_id = r.crate_id AND projections.kind = 'git' AND projections.target = '' AND projections.reached < r.revision
        """,
        rows);

    private static string Rows(IReadOnlyList<LaggingCrate> crates)
    {
        var text = new StringBuilder("[");
        foreach (var crate in crates)
        {
            // A path of the index has only letters, digits and / _ -.
            var path = crate.Content is null || crate.Path is null ? "null" : $"\"{crate.Path}\"";
            text.Append(CultureInfo.InvariantCulture, $"[{crate.CrateId},{crate.Revision},{path},{crate.LastChange}],");
        }

        text[^1] = ']';
        return text.ToString();
    }

    // Tried again with backoff rather than parked: an operator who mends the row, or a later change of the crate, needs no replay.
    private async Task SetAsideAsync(SetAside crate) =>
        await failures.RecordAsync(
            CommitIndexDefinition.Row,
            CommitIndexDefinition.RowKey(crate.CrateId),
            new TransientException("index-row-refused", crate.Error.Message, crate.Error),
            crate.TraceParent).ConfigureAwait(false);

    private static IReadOnlyList<LaggingCrate> Except(IReadOnlyList<LaggingCrate> crates, List<SetAside> bad)
    {
        if (bad.Count == 0) return crates;
        var ids = bad.ConvertAll(static crate => crate.CrateId).ToHashSet();
        return [.. crates.Where(crate => !ids.Contains(crate.CrateId))];
    }

    // Git refuses a batch as a whole. It is halved until the commit that git cannot take stands alone: at most ten levels for a page.
    private static async Task<string?> CommitAsync(
        IndexSession session, string? tip, IReadOnlyList<GitBatch.Planned> planned, int mostAlone, List<SetAside> bad, CancellationToken cancellationToken)
    {
        if (planned.Count == 0) return tip;
        try
        {
            return await session.CommitAsync(tip, GitBatch.Commits(planned, mostAlone), cancellationToken).ConfigureAwait(false);
        }
        catch (GitException e) when (planned.Count == 1)
        {
            bad.Add(new SetAside(planned[0].Crate.CrateId, e, planned[0].Crate.Causes is [.., var newest] ? newest.TraceParent : null));
            return tip;
        }
        catch (GitException)
        {
            var half = planned.Count / 2;
            tip = await CommitAsync(session, tip, [.. planned.Take(half)], mostAlone, bad, cancellationToken).ConfigureAwait(false);
            return await CommitAsync(session, tip, [.. planned.Skip(half)], mostAlone, bad, cancellationToken).ConfigureAwait(false);
        }
    }

    private sealed record Written(string? Tip, int Reached);

    private sealed record Batch(string? Tip, LaggingCrates.Page Page, GitBatch.Decision Decision)
    {
        public static readonly Batch Nothing = new(null, new LaggingCrates.Page([], [], null), new GitBatch.Decision([], []));
    }
}
