using System.Diagnostics;
using Pipeline.Contracts.Index;
using Pipeline.Registry.Cdn;
using Pipeline.Registry.Database;
using Pipeline.Registry.Faults;
using Pipeline.Registry.Store;
using Pipeline.Registry.Telemetry;
using Pipeline.Registry.Truth;

namespace Pipeline.Workers.SparseIndex;

/// <summary>What became of a rendering.</summary>
/// <param name="Found">Whether there was anything to do.</param>
/// <param name="Purge">Whether a bell for the caches is due.</param>
public readonly record struct Rendered(bool Found, bool Purge);

/// <summary>
/// Renders a crate's sparse index file under a claim (<see cref="Claims"/>): the whole file from the database, left alone when equal.
/// Beside itself and late as often as anybody likes.
/// </summary>
public sealed class SparseRenderer(IDatabase database, IObjectStore store, ThisProcess process, Purges purges)
{
    /// <summary>Renders a crate that is behind.</summary>
    /// <param name="crateId">The crate.</param>
    /// <param name="continue">Starts the span of the work, as a child of a cause.</param>
    /// <param name="cancellationToken">Ends the wait for a claim.</param>
    public Task<Rendered> RenderAsync(long crateId, Func<string?, Activity> @continue, CancellationToken cancellationToken) =>
        RenderAsync(crateId, forced: false, @continue, cancellationToken);

    /// <summary>Renders a crate whatever its row says: what stands in the store is not believed.</summary>
    public async Task<Rendered> RenderAgainAsync(long crateId, CancellationToken cancellationToken)
    {
        using var activity = Tracing.Start("render-sparse", null);
        return await RenderAsync(crateId, forced: true, _ => activity, cancellationToken).ConfigureAwait(false);
    }

    private async Task<Rendered> RenderAsync(long crateId, bool forced, Func<string?, Activity> @continue, CancellationToken cancellationToken)
    {
        var claim = await database.WriteAsync(sql => Claims.OpenAsync(sql, crateId, ProjectionKinds.Sparse, process.Id, forced), cancellationToken).ConfigureAwait(false);
        if (claim is null) return default;
        var (touched, purge, started) = (new Dictionary<string, string>(StringComparer.Ordinal), false, Stopwatch.GetTimestamp());
        var activity = @continue(claim.Lack?.Cause.TraceParent);
        // What has begun goes to its end: a claim left open by a living process is nobody's to render.
        while (claim is not null)
        {
            FaultPoints.Reach("sparse.claimed");
            var snapshot = await database.ReadAsync(sql => IndexLines.ReadAsync(sql, crateId), CancellationToken.None).ConfigureAwait(false)
                ?? throw new InvalidOperationException($"crate {crateId} has a projection but no row");
            activity.SetTag(Tracing.CrateName, snapshot.Name);
            FaultPoints.Reach("sparse.rendered");
            var held = claim;
            if (snapshot.Revision > held.Revision) held = await database.WriteAsync(sql => Claims.RaiseAsync(sql, held, snapshot.Revision), CancellationToken.None).ConfigureAwait(false);

            var path = await WriteAsync(snapshot, held.Path, touched).ConfigureAwait(false);
            FaultPoints.Reach("sparse.written");
            ((claim, var shown), purge) = await database.WriteAsync(sql => EndAsync(sql, held, path, touched, activity.Id), CancellationToken.None).ConfigureAwait(false);
            if (held.Lack is { } lack) Note(shown, lack, started, activity);
        }

        return new Rendered(true, purge);
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

    private async ValueTask<(Closed Closed, bool Purge)> EndAsync(Statements sql, Claim claim, string? path, Dictionary<string, string> touched, string? traceParent)
    {
        var end = await CloseAsync(sql, claim, path, touched, traceParent).ConfigureAwait(false);
        // After the purges: those that stand open now are what caches have to be told of it.
        if (end.Closed.Again is null && claim.Lack is { } lack) await Shown.InSparseAsync(sql, claim.CrateId, lack.FirstChange, claim.Revision).ConfigureAwait(false);
        return end;
    }

    /// <summary>
    /// Closes the claim and writes the purges that belong to it. Nothing is purged when every round found the file equal, unless another
    /// claim stands open: its renderer may have written these very bytes and died before it could close.
    /// </summary>
    private async ValueTask<(Closed Closed, bool Purge)> CloseAsync(Statements sql, Claim claim, string? path, Dictionary<string, string> touched, string? traceParent)
    {
        var unsure = purges.Any && await Claims.OthersAsync(sql, claim).ConfigureAwait(false);
        var closed = await Claims.CloseAsync(sql, claim, path, process.Id).ConfigureAwait(false);
        if (closed.Again is not null || !purges.Any) return (closed, false);
        var (about, purge) = (new PurgedCrate(claim.CrateId, traceParent), false);
        foreach (var (file, cause) in touched)
            purge |= await purges.OfIndexFileAsync(sql, about, file, cause).ConfigureAwait(false);
        if (unsure && path is not null && !touched.ContainsKey(path)) purge |= await purges.OfIndexFileAsync(sql, about, path, PurgeCauses.First).ConfigureAwait(false);
        purge |= await purges.OfDeletedFilesAsync(sql, about, claim.Revision).ConfigureAwait(false);
        return (closed, purge);
    }

    /// <summary>Writes what differs and notes it in <paramref name="touched"/>; returns where the file stands now.</summary>
    private async Task<string?> WriteAsync(IndexSnapshot snapshot, string? oldPath, Dictionary<string, string> touched)
    {
        var path = IndexPath.Of(snapshot.Name);
        // A deleted crate that came back in another spelling leaves its old file behind. Nobody else's: a spelling has one canonical name,
        // and the crates that are served by this index are unique by it.
        if (oldPath is not null && oldPath != path)
        {
            await store.DeleteAsync(StoreKeys.SparseFile(oldPath)).ConfigureAwait(false);
            touched[oldPath] = PurgeCauses.Removed;
        }

        var key = StoreKeys.SparseFile(path);
        if (snapshot.Content is null)
        {
            await store.DeleteAsync(key).ConfigureAwait(false);
            touched[path] = touched.ContainsKey(path) ? PurgeCauses.First : PurgeCauses.Removed;
            return null;
        }

        if (await store.HoldsAsync(key, snapshot.Content).ConfigureAwait(false)) return path;
        await store.PutAsync(key, snapshot.Content).ConfigureAwait(false);
        // What a round before this one removed, or was the first to write, caches may know as missing.
        touched[path] = oldPath == path && touched.GetValueOrDefault(path, PurgeCauses.Changed) == PurgeCauses.Changed ? PurgeCauses.Changed : PurgeCauses.First;
        return path;
    }
}
