using System.Diagnostics;
using Pipeline.Contracts.Index;
using Pipeline.Registry.Cdn;
using Pipeline.Registry.Database;
using Pipeline.Registry.Failures;
using Pipeline.Registry.Faults;
using Pipeline.Registry.Store;
using Pipeline.Registry.Telemetry;
using Pipeline.Registry.Truth;

namespace Pipeline.Workers.SparseIndex;

/// <summary>
/// Renders sparse index files under claims (<see cref="Claims"/>): each file whole from the database, left alone when equal. Files are there
/// for readers at once; a claim is closed only behind the sync that makes its file durable. Beside itself and late as often as anybody likes.
/// </summary>
public sealed class SparseRenderer
{
    /// <summary>The most crates that are rendered together.</summary>
    public const int MostTogether = 256;

    /// <summary>The most batches side by side: files of one batch are side by side already where that is faster.</summary>
    public const int MostBatches = 4;

    private readonly IDatabase _database;
    private readonly IObjectStore _store;
    private readonly ThisProcess _process;
    private readonly Purges _purges;
    private readonly IndexFiles _files;
    private readonly JoinedWrites<List<Rendering>, Dictionary<long, Closed>> _closes;

    // What this process has written and not closed yet.
    private readonly Dictionary<long, List<Rendering>> _written = [];

    /// <summary>Renders from a database into a store.</summary>
    public SparseRenderer(IDatabase database, IObjectStore store, ThisProcess process, Purges purges, IndexFiles files)
    {
        (_database, _store, _process, _purges, _files) = (database, store, process, purges, files);
        _closes = new JoinedWrites<List<Rendering>, Dictionary<long, Closed>>(database, CloseAllAsync);
    }

    /// <summary>Renders a crate whatever its row says: what stands in the store is not believed. Returns whether a bell for the caches is due.</summary>
    public async Task<bool> RenderAgainAsync(long crateId, CancellationToken cancellationToken)
    {
        using var activity = Tracing.Start("render-sparse", null);
        var rendering = new Rendering(crateId, _ => activity);
        await RenderAsync([rendering], forced: true, static () => { }, cancellationToken).ConfigureAwait(false);
        return rendering.Failure is null ? rendering.Purge : throw rendering.Failure;
    }

    /// <summary>Renders those of some crates that are behind; one that fails says so itself.</summary>
    /// <param name="crates">The crates, each once.</param>
    /// <param name="forced">Whether all are rendered, whatever their rows say.</param>
    /// <param name="written">Called once all files stand, before they are synced.</param>
    /// <param name="cancellationToken">Ends the wait for the claims. What has begun goes to its end: a claim left open by a living process is nobody's to render, for a minute.</param>
    internal async Task RenderAsync(IReadOnlyList<Rendering> crates, bool forced, Action written, CancellationToken cancellationToken)
    {
        var ids = crates.Select(static one => one.CrateId).ToList();
        var claims = await _database.WriteUnsyncedAsync(sql => ClaimBatch.OpenAsync(sql, ids, ProjectionKinds.Sparse, _process.Id, forced), cancellationToken).ConfigureAwait(false);
        var started = Stopwatch.GetTimestamp();
        var open = new List<Rendering>(claims.Count);
        foreach (var one in crates)
        {
            if (!claims.TryGetValue(one.CrateId, out var claim)) continue;
            one.Begin(claim);
            open.Add(one);
        }

        Overtake(open);
        FaultPoints.Reach("sparse.claimed");
        while (open.Count > 0)
        {
            try
            {
                await WriteAsync(open).ConfigureAwait(false);
                open.RemoveAll(static one => one.Failure is not null);
                Enter(open);
                written();
                open = await CloseAsync(open, started).ConfigureAwait(false);
            }
            catch (Exception e)
            {
                foreach (var one in open) one.Failure ??= e;
                await AbandonAsync(open).ConfigureAwait(false);
                return;
            }
        }
    }

    /// <summary>Those of this process that have written already may close below the claims set since: what is rendered under these comes after them.</summary>
    private void Overtake(List<Rendering> open)
    {
        lock (_written)
        {
            foreach (var one in open)
            {
                if (!_written.TryGetValue(one.CrateId, out var before)) continue;
                foreach (var other in before) other.Allowed = Math.Max(other.Allowed, one.Claim!.Revision);
            }
        }
    }

    private void Enter(List<Rendering> open)
    {
        lock (_written)
        {
            foreach (var one in open)
            {
                one.Allowed = one.Claim!.Revision;
                if (!_written.TryGetValue(one.CrateId, out var list)) _written.Add(one.CrateId, list = []);
                list.Add(one);
            }
        }
    }

    private void Leave(List<Rendering> open)
    {
        lock (_written)
        {
            foreach (var one in open)
            {
                if (_written.TryGetValue(one.CrateId, out var list) && list.Remove(one) && list.Count == 0) _written.Remove(one.CrateId);
            }
        }
    }

    private async Task WriteAsync(List<Rendering> open)
    {
        var snapshots = await _database.ReadAsync(sql => _files.ReadAsync(sql, [.. open.Select(static one => one.CrateId)])).ConfigureAwait(false);
        FaultPoints.Reach("sparse.rendered");
        if (PlantedBugs.UnfencedRender) await PlantedBugs.GapAsync().ConfigureAwait(false);
        if (_store.Folders is null) await Task.WhenAll(open.Select(WriteOneAsync)).ConfigureAwait(false);
        else foreach (var one in open) await WriteOneAsync(one).ConfigureAwait(false);
        FaultPoints.Reach("sparse.written");
        await AbandonAsync(open.FindAll(static one => one.Failure is not null)).ConfigureAwait(false);

        async Task WriteOneAsync(Rendering one)
        {
            Activity.Current = one.Activity;
            try
            {
                var snapshot = snapshots.GetValueOrDefault(one.CrateId) ?? throw new InvalidOperationException($"crate {one.CrateId} has a projection but no row");
                one.Activity.SetTag(Tracing.CrateName, snapshot.Name);
                if (snapshot.Revision > one.Claim!.Revision) one.Claim = await _database.WriteAsync(sql => Claims.RaiseAsync(sql, one.Claim, snapshot.Revision)).ConfigureAwait(false);
                one.Path = await WriteAsync(one, snapshot).ConfigureAwait(false);
            }
            catch (Exception e)
            {
                one.Failure = e;
            }
        }
    }

    /// <summary>Closes the claims of what was written, behind a sync. Returns those that are to be rendered again, under a new claim.</summary>
    private async Task<List<Rendering>> CloseAsync(List<Rendering> open, long started)
    {
        try
        {
            await _store.SyncAsync().ConfigureAwait(false);
            FaultPoints.Reach("sparse.synced");
            var closed = await _closes.WriteAsync(open).ConfigureAwait(false);
            var again = new List<Rendering>();
            foreach (var one in open)
            {
                var (claim, shown) = closed[one.CrateId];
                if (one.Claim!.Lack is { } lack) Note(shown, lack, started, one.Activity);
                one.Claim = claim;
                if (claim is not null) again.Add(one);
            }

            FaultPoints.Reach("sparse.closed");
            return again;
        }
        finally
        {
            Leave(open);
        }
    }

    private async Task AbandonAsync(List<Rendering> failed)
    {
        if (failed.Count == 0) return;
        try
        {
            await _database.WriteAsync(sql => ClaimBatch.AbandonAsync(sql, failed.Select(static one => one.Claim).OfType<Claim>())).ConfigureAwait(false);
        }
        catch (TransientException)
        {
            // The database is what is away. The claims stay, and are taken for left open by their age.
        }
    }

    /// <summary>Measures how long each publish took that the file now shows, and tells the traces of those that share this rendering.</summary>
    private static void Note(IReadOnlyList<Cause> shown, Lack lack, long started, Activity activity)
    {
        var now = lack.At + Microseconds.Of(Stopwatch.GetElapsedTime(started));
        foreach (var cause in shown)
        {
            if (cause.AcceptedAt is { } accepted) PipelineMeter.Indexed(ProjectionKinds.Sparse, now - accepted);
            if (cause.TraceParent != lack.Cause.TraceParent)
                Tracing.Note(activity.OperationName, cause.TraceParent, activity.StartTimeUtc, activity, [.. activity.TagObjects]);
        }
    }

    /// <summary>Closes several batches. A crate that is in two of them is closed twice, in their order.</summary>
    private async ValueTask<IReadOnlyList<Dictionary<long, Closed>>> CloseAllAsync(Statements sql, IReadOnlyList<List<Rendering>> batches)
    {
        var results = new Dictionary<long, Closed>[batches.Count];
        for (var from = 0; from < batches.Count;)
        {
            var crates = new HashSet<long>();
            var to = from;
            while (to < batches.Count && batches[to].TrueForAll(one => !crates.Contains(one.CrateId)))
            {
                crates.UnionWith(batches[to].Select(static one => one.CrateId));
                to++;
            }

            var closed = await CloseAsync(sql, [.. batches.Skip(from).Take(to - from).SelectMany(static batch => batch)]).ConfigureAwait(false);
            for (; from < to; from++) results[from] = batches[from].ToDictionary(static one => one.CrateId, one => closed[one.CrateId]);
        }

        return results;
    }

    /// <summary>
    /// Closes claims and writes the purges that belong to them. Nothing is purged when every round found the file equal, unless another
    /// claim stands open: its renderer may have written these very bytes and died before it could close.
    /// </summary>
    private async ValueTask<Dictionary<long, Closed>> CloseAsync(Statements sql, List<Rendering> open)
    {
        var unsure = new HashSet<long>();
        if (_purges.Any)
        {
            foreach (var one in open)
            {
                if (await Claims.OthersAsync(sql, one.Claim!).ConfigureAwait(false)) unsure.Add(one.CrateId);
            }
        }

        var closed = await ClaimBatch.CloseAsync(sql, [.. open.Select(one => new Rendered(one.Claim!, one.Path, AllowedOf(one)))], ProjectionKinds.Sparse, _process.Id).ConfigureAwait(false);
        if (!_purges.Any) return closed;
        foreach (var one in open)
        {
            if (closed[one.CrateId].Again is null) one.Purge |= await PurgeAsync(sql, one, unsure.Contains(one.CrateId)).ConfigureAwait(false);
        }

        return closed;
    }

    private long AllowedOf(Rendering one)
    {
        lock (_written) return one.Allowed;
    }

    private async ValueTask<bool> PurgeAsync(Statements sql, Rendering one, bool unsure)
    {
        var (about, purge) = (new PurgedCrate(one.CrateId, one.Activity.Id), false);
        foreach (var (file, cause) in one.Touched) purge |= await _purges.OfIndexFileAsync(sql, about, file, cause).ConfigureAwait(false);
        if (unsure && one.Path is not null && !one.Touched.ContainsKey(one.Path)) purge |= await _purges.OfIndexFileAsync(sql, about, one.Path, PurgeCauses.First).ConfigureAwait(false);
        return purge | await _purges.OfDeletedFilesAsync(sql, about, one.Claim!.Revision).ConfigureAwait(false);
    }

    /// <summary>Writes what differs and notes it as touched; returns where the file stands now.</summary>
    private async Task<string?> WriteAsync(Rendering one, IndexSnapshot snapshot)
    {
        var (path, oldPath, touched) = (IndexPath.Of(snapshot.Name), one.Claim!.Path, one.Touched);
        // A deleted crate that came back in another spelling leaves its old file behind. Nobody else's: a spelling has one canonical name,
        // and the crates that are served by this index are unique by it.
        if (oldPath is not null && oldPath != path)
        {
            await _store.DeleteAsync(StoreKeys.SparseFile(oldPath)).ConfigureAwait(false);
            touched[oldPath] = PurgeCauses.Removed;
        }

        var key = StoreKeys.SparseFile(path);
        if (snapshot.Content is null)
        {
            await _store.DeleteAsync(key).ConfigureAwait(false);
            touched[path] = touched.ContainsKey(path) ? PurgeCauses.First : PurgeCauses.Removed;
            return null;
        }

        // Over a network to ask costs what to write does, so what is known to be behind is written; elsewhere what is equal is left alone.
        var isKnownToDiffer = _store.Folders is null && one.Claim.Lack is not null;
        if (!isKnownToDiffer && await _store.HoldsAsync(key, snapshot.Content).ConfigureAwait(false)) return path;
        await _store.PutUnsyncedAsync(key, snapshot.Content).ConfigureAwait(false);
        // What a round before this one removed, or was the first to write, caches may know as missing.
        touched[path] = oldPath == path && touched.GetValueOrDefault(path, PurgeCauses.Changed) == PurgeCauses.Changed ? PurgeCauses.Changed : PurgeCauses.First;
        return path;
    }
}
