using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Pipeline.Contracts;
using Pipeline.Contracts.Index;
using Pipeline.Registry.Database;
using Pipeline.Registry.Faults;
using Pipeline.Registry.Git;
using Pipeline.Registry.Truth;
using Pipeline.Registry.Upstreams;

namespace Pipeline.Workers.Upstream;

/// <summary>Follows an upstream by its git index: fetches, compares two trees, reads the blobs that differ, and hands them on in batches.</summary>
public sealed class GitFollower(IDatabase database, SyncWriter writer, SyncBells bells)
{
    // A first fetch of crates.io's index brings some hundred megabytes.
    private static readonly TimeSpan FetchLimit = TimeSpan.FromMinutes(60);

    /// <summary>Brings the mirror to where the upstream is.</summary>
    /// <param name="upstream">The upstream.</param>
    /// <param name="clone">Its clone.</param>
    /// <param name="lease">Held by this process.</param>
    /// <param name="cancellationToken">Cancelled when the lease is lost.</param>
    /// <returns>Whether there was anything to do.</returns>
    /// <exception cref="Registry.Failures.TransientException">The upstream, git or the database is away, or the upstream's index cannot be meant.</exception>
    public async Task<bool> FollowAsync(Registry.Upstreams.Upstream upstream, UpstreamClone clone, Lease lease, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(upstream);
        ArgumentNullException.ThrowIfNull(clone);
        var tip = upstream.IsRemoved ? null : await clone.FetchAsync(upstream.IndexUrl, FetchLimit, cancellationToken).ConfigureAwait(false);
        FaultPoints.Reach("upstream.fetched");
        var any = false;
        while (await NextAsync(upstream, clone, tip, cancellationToken).ConfigureAwait(false) is { } sync)
        {
            any = true;
            if (!await RunAsync(upstream, clone, lease, sync, cancellationToken).ConfigureAwait(false)) return true;
            if (sync.ToCommit == tip) break;
        }

        if (!any) await writer.EndAsync(upstream, null, lease, cancellationToken).ConfigureAwait(false);
        return any;
    }

    /// <summary>
    /// The sync to run: one that was interrupted, if what it compares is still to be had; else one from the watermark to the tip. The watermark is the
    /// newest sync that is done, so it never is ahead of what is committed.
    /// </summary>
    private async Task<SyncRow?> NextAsync(Registry.Upstreams.Upstream upstream, UpstreamClone clone, string? tip, CancellationToken cancellationToken)
    {
        var (running, done, due) = await database.ReadAsync(
            async sql => (
                await SyncRow.RunningAsync(sql, upstream.Name).ConfigureAwait(false),
                await SyncRow.DoneAsync(sql, upstream.Name).ConfigureAwait(false),
                (await UpstreamItems.OfAsync(sql, upstream.Name).ConfigureAwait(false)).Due.Count > 0),
            cancellationToken).ConfigureAwait(false);
        if (running is not null)
        {
            // One of a sparse index has no state that it brings, and one that takes everything away has none either.
            if (running.AllowRevision == upstream.AllowRevision && running.ToCommit is null == upstream.IsRemoved && await HasAsync(clone, running.FromCommit, cancellationToken).ConfigureAwait(false)
                && await HasAsync(clone, running.ToCommit, cancellationToken).ConfigureAwait(false)) return running;
            await database.WriteAsync(sql => SyncRow.EndAsync(sql, running.Id, "given-up"), cancellationToken).ConfigureAwait(false);
        }

        var unchanged = done is not null && done.AllowRevision == upstream.AllowRevision;
        if (unchanged && done!.ToCommit == tip && (!due || tip is null)) return null;
        // Of a state that was squashed away and is gone from the clone too, only the rows are left: they are compared with the whole tree.
        var from = unchanged && done!.ToCommit is { } watermark && await clone.HasAsync(watermark, cancellationToken).ConfigureAwait(false) ? watermark : null;
        return await database.WriteAsync(sql => SyncRow.BeginAsync(sql, upstream.Name, from, tip, upstream.AllowRevision), cancellationToken).ConfigureAwait(false);
    }

    private static async Task<bool> HasAsync(UpstreamClone clone, string? commit, CancellationToken cancellationToken) =>
        commit is null || await clone.HasAsync(commit, cancellationToken).ConfigureAwait(false);

    private async Task<bool> RunAsync(Registry.Upstreams.Upstream upstream, UpstreamClone clone, Lease lease, SyncRow sync, CancellationToken cancellationToken)
    {
        var (allowed, items) = await database.ReadAsync(
            async sql => (await UpstreamStore.AllowedAsync(sql, upstream).ConfigureAwait(false), await UpstreamItems.OfAsync(sql, upstream.Name).ConfigureAwait(false)),
            cancellationToken).ConfigureAwait(false);
        bool Pruned(string canonical) => allowed is not null && !allowed.Contains(canonical);
        var looked = await ChangesAsync(upstream, clone, sync, allowed, cancellationToken).ConfigureAwait(false);
        await ReadConfigAsync(upstream, clone, sync, cancellationToken).ConfigureAwait(false);
        await database.WriteAsync(sql => sql.ExecuteAsync("UPDATE upstream_syncs SET total = $2 WHERE id = $1", sync.Id, (long)looked.Count), cancellationToken).ConfigureAwait(false);

        var rest = looked.SkipWhile(file => string.CompareOrdinal(file.Path, sync.Position) <= 0).ToList();
        var again = await AgainAsync(clone, sync, items.Due, rest, cancellationToken).ConfigureAwait(false);
        // Nobody asks any more for a file that is no longer followed.
        again.RemoveAll(file => !IndexWalk.IsFollowed(file.Path, allowed));
        again.AddRange(items.All.Where(path => path != IndexRepository.ConfigPath && !IndexWalk.IsFollowed(path, allowed)).Select(static path => new TreeFile(path, null)));
        await foreach (var batch in AheadAsync(clone, again, rest, cancellationToken).ConfigureAwait(false))
        {
            if (await writer.WriteAsync(upstream, sync, lease, batch, Pruned, items.All, cancellationToken).ConfigureAwait(false) is not { } written) return false;
            await bells.RingAsync(written.Lagging).ConfigureAwait(false);
        }

        return await writer.EndAsync(upstream, sync, lease, cancellationToken).ConfigureAwait(false);
    }

    private async Task<List<TreeFile>> ChangesAsync(Registry.Upstreams.Upstream upstream, UpstreamClone clone, SyncRow sync, HashSet<string>? allowed, CancellationToken cancellationToken)
    {
        var here = (int)(await database.ReadAsync(
            sql => sql.LongAsync("SELECT COUNT(*) FROM crates WHERE namespace = '' AND source = $1 AND state = 'active'", upstream.Name), cancellationToken).ConfigureAwait(false))!.Value;
        List<TreeFile> looked;
        if (sync is { FromCommit: { } from, ToCommit: { } to }) looked = IndexWalk.Followed(await clone.ChangedAsync(from, to, cancellationToken).ConfigureAwait(false), allowed);
        else
        {
            var tree = sync.ToCommit is { } commit ? await clone.TreeAsync(commit, cancellationToken).ConfigureAwait(false) : [];
            var rows = here == 0 ? [] : await database.ReadAsync(
                sql => sql.QueryAsync(
                    "SELECT name, upstream_blob FROM crates WHERE namespace = '' AND source = $1 AND state = 'active'",
                    static row => KeyValuePair.Create(IndexPath.Of(row.Text(0)), row.TextOrNull(1)), upstream.Name),
                cancellationToken).ConfigureAwait(false);
            looked = IndexWalk.Compare(tree, new Dictionary<string, string?>(rows, StringComparer.Ordinal), allowed);
        }

        // What is pruned was asked for.
        var gone = looked.Count(file => file.BlobId is null && (allowed is null || allowed.Contains(CanonicalName.Of(SyncPlan.NameOf(file.Path)).Text)));
        if (!upstream.AcceptRemovals && !upstream.IsRemoved) IndexWalk.CheckRemovals(gone, here);
        return looked;
    }

    /// <summary>Files that could not be taken before, are due, and are not on the way anyhow: as they are in the commit that is synced.</summary>
    private static async Task<List<TreeFile>> AgainAsync(UpstreamClone clone, SyncRow sync, List<string> due, List<TreeFile> rest, CancellationToken cancellationToken)
    {
        if (sync.ToCommit is not { } commit || due.Count == 0) return [];
        var onTheWay = rest.Select(static file => file.Path).ToHashSet(StringComparer.Ordinal);
        var paths = due.Where(path => !onTheWay.Contains(path) && !path.Contains('\n', StringComparison.Ordinal)).ToList();
        var ids = await clone.LookUpAsync(commit, paths, cancellationToken).ConfigureAwait(false);
        return [.. paths.Select((path, i) => new TreeFile(path, ids[i]))];
    }

    private async Task ReadConfigAsync(Registry.Upstreams.Upstream upstream, UpstreamClone clone, SyncRow sync, CancellationToken cancellationToken)
    {
        if (sync.ToCommit is not { } commit) return;
        var ids = await clone.LookUpAsync(commit, [IndexRepository.ConfigPath], cancellationToken).ConfigureAwait(false);
        if (ids[0] is not { } id) return;
        await foreach (var blob in clone.ReadAsync([id], UpstreamConfig.MaxBytes, cancellationToken).ConfigureAwait(false))
        {
            await ConfigFile.TakeAsync(database, upstream, blob.Bytes, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Reads and checks the next batches while one is written.</summary>
    private static async IAsyncEnumerable<SyncBatch> AheadAsync(
        UpstreamClone clone, List<TreeFile> again, List<TreeFile> rest, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var ahead = Channel.CreateBounded<SyncBatch>(new BoundedChannelOptions(2) { SingleReader = true, SingleWriter = true });
        var reading = Task.Run(async () =>
        {
            try
            {
                await foreach (var batch in BatchesAsync(clone, again, moves: false, stop.Token).ConfigureAwait(false)) await ahead.Writer.WriteAsync(batch, stop.Token).ConfigureAwait(false);
                await foreach (var batch in BatchesAsync(clone, rest, moves: true, stop.Token).ConfigureAwait(false)) await ahead.Writer.WriteAsync(batch, stop.Token).ConfigureAwait(false);
                ahead.Writer.Complete();
            }
            catch (Exception e)
            {
                // Met again by who reads the batches.
                ahead.Writer.Complete(e);
            }
        }, CancellationToken.None);
        try
        {
            await foreach (var batch in ahead.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false)) yield return batch;
        }
        finally
        {
            await stop.CancelAsync().ConfigureAwait(false);
            await reading.ConfigureAwait(false);
        }
    }

    private static async IAsyncEnumerable<SyncBatch> BatchesAsync(UpstreamClone clone, List<TreeFile> files, bool moves, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (files.Count == 0) yield break;
        var wanted = files.Where(static file => file.BlobId is not null && IndexWalk.KindOf(file.Path) == IndexWalk.PathKind.Crate).Select(static file => file.BlobId!).ToList();
        await using var blobs = clone.ReadAsync(wanted, MirroredFile.MaxBytes, cancellationToken).GetAsyncEnumerator(cancellationToken);
        var batch = new BatchBuilder();
        for (var i = 0; i < files.Count; i++)
        {
            var file = files[i];
            if (file.BlobId is null) batch.Gone(file.Path);
            else if (IndexWalk.KindOf(file.Path) != IndexWalk.PathKind.Crate) batch.Odd(file.Path, file.BlobId);
            else
            {
                await blobs.MoveNextAsync().ConfigureAwait(false);
                batch.Take(file.Path, file.BlobId, blobs.Current.Bytes);
            }

            if (batch.IsFull || i == files.Count - 1) yield return batch.Build(moves ? file.Path : null);
        }

        // To its end, so that git is asked how it went.
        await blobs.MoveNextAsync().ConfigureAwait(false);
    }
}
