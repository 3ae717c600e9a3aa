using System.Runtime.CompilerServices;
using Pipeline.Contracts;
using Pipeline.Contracts.Index;
using Pipeline.Registry.Database;
using Pipeline.Registry.Failures;
using Pipeline.Registry.Faults;
using Pipeline.Registry.Git;
using Pipeline.Registry.Options;
using Pipeline.Registry.Truth;
using Pipeline.Registry.Upstreams;

namespace Pipeline.Workers.Upstream;

/// <summary>
/// Follows an upstream by its sparse index: asks for the files of its allow-list and hands on in batches what is other than it was. What the server
/// said of a file is kept with the file, in one transaction, so a sync that was interrupted asks again and is told at once what has not changed.
/// </summary>
public sealed class SparseFollower(IDatabase database, SyncWriter writer, SyncBells bells, UpstreamOptions options)
{
    // So many failures in a row look like a server that is away.
    private const int MostAway = 20;

    /// <summary>Brings the mirror to where the upstream is.</summary>
    /// <param name="upstream">The upstream.</param>
    /// <param name="lease">Held by this process.</param>
    /// <param name="cancellationToken">Cancelled when the lease is lost.</param>
    /// <returns>Whether there was anything to do.</returns>
    /// <exception cref="TransientException">The upstream or the database is away, or the upstream's index cannot be meant.</exception>
    public async Task<bool> FollowAsync(Registry.Upstreams.Upstream upstream, Lease lease, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(upstream);
        using var client = new SparseClient(new Uri(upstream.IndexUrl[Registry.Upstreams.Upstream.SparsePrefix.Length..]), options);
        var config = await ConfigAsync(client, cancellationToken).ConfigureAwait(false);
        await ConfigFile.TakeAsync(database, upstream, config, cancellationToken).ConfigureAwait(false);
        FaultPoints.Reach("upstream.fetched");

        var (walk, here, bad, sync) = await BeginAsync(upstream, cancellationToken).ConfigureAwait(false);
        var pruned = walk.Pruned.Select(static path => CanonicalName.Of(SyncPlan.NameOf(path)).Text).ToHashSet(StringComparer.Ordinal);
        await foreach (var batch in BatchesAsync(upstream, client, walk, here, bad, cancellationToken).ConfigureAwait(false))
        {
            sync ??= await database.WriteAsync(sql => SyncRow.BeginAsync(sql, upstream.Name, null, null, upstream.AllowRevision, walk.Asks.Count), cancellationToken).ConfigureAwait(false);
            if (await writer.WriteAsync(upstream, sync, lease, batch, pruned.Contains, bad, cancellationToken).ConfigureAwait(false) is not { } written) return true;
            await bells.RingAsync(written.Lagging).ConfigureAwait(false);
        }

        await writer.EndAsync(upstream, sync, lease, cancellationToken).ConfigureAwait(false);
        return sync is not null;
    }

    /// <summary>What to ask for, how many crates are here, what could not be taken before; and a sync that was interrupted, which this one goes on with.</summary>
    private async Task<(SparseWalk Walk, int Here, IReadOnlySet<string> Bad, SyncRow? Sync)> BeginAsync(Registry.Upstreams.Upstream upstream, CancellationToken cancellationToken)
    {
        var (allowed, here, items, running) = await database.ReadAsync(
            async sql => (
                await AllowedAsync(sql, upstream.Name).ConfigureAwait(false), await HereAsync(sql, upstream.Name).ConfigureAwait(false),
                await UpstreamItems.OfAsync(sql, upstream.Name).ConfigureAwait(false), await SyncRow.RunningAsync(sql, upstream.Name).ConfigureAwait(false)),
            cancellationToken).ConfigureAwait(false);
        var due = items.Due.ToHashSet(StringComparer.Ordinal);
        var walk = SparseWalk.Of(allowed, here, items.All.ToDictionary(static path => path, due.Contains, StringComparer.Ordinal));
        var goesOn = running is { FromCommit: null, ToCommit: null } && running.AllowRevision == upstream.AllowRevision;
        if (running is not null)
        {
            await database.WriteAsync(
                sql => goesOn ? SyncRow.GrowAsync(sql, running.Id, walk.Asks.Count) : SyncRow.EndAsync(sql, running.Id, "given-up"), cancellationToken).ConfigureAwait(false);
        }

        return (walk, here.Count, items.All, goesOn ? running : null);
    }

    private static async Task<byte[]?> ConfigAsync(SparseClient client, CancellationToken cancellationToken) =>
        await client.GetAsync(IndexRepository.ConfigPath, null, UpstreamConfig.MaxBytes, cancellationToken).ConfigureAwait(false) switch
        {
            SparseAnswer.Found found => found.Bytes,
            SparseAnswer.Failed { Code: SparseAnswer.Failed.TooLarge } => null,
            SparseAnswer.Failed failed => throw new TransientException("upstream-away", $"config.json: {failed.Text}"),
            _ => throw new TransientException("upstream-away", "there is no config.json, so there is no index"),
        };

    private async IAsyncEnumerable<SyncBatch> BatchesAsync(
        Registry.Upstreams.Upstream upstream, SparseClient client, SparseWalk walk, int here, IReadOnlySet<string> bad, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var (batch, gone, away) = (new BatchBuilder(), new List<string>(), 0);
        foreach (var path in walk.Pruned)
        {
            batch.Gone(path);
            if (batch.IsFull) yield return batch.Build(null);
        }

        await foreach (var (ask, path, answer) in AnswersAsync(client, walk.Asks, cancellationToken).ConfigureAwait(false))
        {
            away = answer is SparseAnswer.Failed { IsAway: true } ? away + 1 : 0;
            // If the server is away, the files are not to blame: the sync ends here. If it is there, it goes on.
            if (away > 0 && away % MostAway == 0) await ConfigAsync(client, cancellationToken).ConfigureAwait(false);
            var isLost = answer is SparseAnswer.Absent && ask.Crate is { } crate && !(crate.IsGone && upstream.Removals == RemovalPolicies.Keep);
            if (isLost) gone.Add(IndexPath.Of(ask.Crate!.Name));
            else if (answer is SparseAnswer.Failed failed) batch.Bad(path, failed.Code, failed.Text);
            else if (answer is SparseAnswer.Found found) batch.Take(path, GitBlobId.Of(found.Bytes), found.Bytes, found.Mark);
            else batch.Unchanged();
            // What could not be taken under another spelling is over, now that the server has answered.
            if (answer is not SparseAnswer.Failed) batch.Gone(ask.Paths.Where(other => bad.Contains(other) && (other != path || answer is SparseAnswer.Absent)));
            if (batch.IsFull) yield return batch.Build(null);
        }

        if (!batch.IsEmpty) yield return batch.Build(null);
        if (!upstream.AcceptRemovals) IndexWalk.CheckRemovals(gone.Count, here);
        foreach (var page in gone.Chunk(SyncBatch.MostFiles))
        {
            batch.Gone(page);
            yield return batch.Build(null);
        }
    }

    /// <summary>Asks side by side, and gives the answers in the order of the asks.</summary>
    private async IAsyncEnumerable<(SparseAsk Ask, string Path, SparseAnswer Answer)> AnswersAsync(
        SparseClient client, IReadOnlyList<SparseAsk> asks, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var (ahead, next) = (new Queue<Task<(string Path, SparseAnswer Answer)>>(), 0);
        try
        {
            foreach (var ask in asks)
            {
                while (next < asks.Count && ahead.Count < options.SparseParallel) ahead.Enqueue(AskAsync(client, asks[next++], stop.Token));
                var (path, answer) = await ahead.Dequeue().ConfigureAwait(false);
                yield return (ask, path, answer);
            }
        }
        finally
        {
            await stop.CancelAsync().ConfigureAwait(false);
            await ((Task)Task.WhenAll(ahead)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static async Task<(string Path, SparseAnswer Answer)> AskAsync(SparseClient client, SparseAsk ask, CancellationToken cancellationToken)
    {
        for (var i = 0; ; i++)
        {
            var answer = await client.GetAsync(ask.Paths[i], ask.Mark, MirroredFile.MaxBytes, cancellationToken).ConfigureAwait(false);
            if (answer is not SparseAnswer.Absent) return (ask.Paths[i], answer);
            if (i == ask.Paths.Count - 1) return (ask.Paths[0], answer);
        }
    }

    private static ValueTask<List<AllowedName>> AllowedAsync(Statements sql, string upstream) => sql.QueryAsync(
        "SELECT canonical, name, etag, modified FROM upstream_allowed WHERE upstream = $1",
        static row => new AllowedName(row.Text(0), row.Text(1), row.IsNull(2) && row.IsNull(3) ? null : new FileMark(row.TextOrNull(2), row.TextOrNull(3))), upstream);

    private static ValueTask<List<HeldCrate>> HereAsync(Statements sql, string upstream) => sql.QueryAsync(
        "SELECT canonical, name, upstream_gone_at IS NOT NULL FROM crates WHERE namespace = '' AND source = $1 AND state = 'active'",
        static row => new HeldCrate(row.Text(0), row.Text(1), row.Bool(2)), upstream);
}
