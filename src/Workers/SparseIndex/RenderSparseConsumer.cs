using System.Diagnostics;
using MassTransit;
using Pipeline.Contracts.Cdn;
using Pipeline.Contracts.Index;
using Pipeline.Registry.Bus;
using Pipeline.Registry.Cdn;
using Pipeline.Registry.Database;
using Pipeline.Registry.Faults;
using Pipeline.Registry.Store;
using Pipeline.Registry.Telemetry;
using Pipeline.Registry.Truth;

namespace Pipeline.Workers.SparseIndex;

/// <summary>Brings a crate's sparse index file up to the database's revision of it.</summary>
/// <remarks>
/// Triggered by: <see cref="RenderSparse"/>, from publish, yank and deletion, or from the sweep.
/// Produces: the whole index file in the object store, or its removal; what caches must forget, in the transaction that closes the claim.
/// Safe to repeat because: the file is rendered whole from the database and left alone when equal.
/// Ordered/locked by: the durable claim (<see cref="Claims"/>): whoever was overtaken renders again.
/// May run in parallel: yes, also for the same crate.
/// </remarks>
public sealed class RenderSparseConsumer(IDatabase database, IObjectStore store, ThisProcess process, Purges purges, IDoorbell doorbell) : IConsumer<RenderSparse>
{
    /// <inheritdoc/>
    public async Task Consume(ConsumeContext<RenderSparse> context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var crateId = context.Message.CrateId;
        var claim = await database.WriteAsync(sql => Claims.OpenAsync(sql, crateId, ProjectionKinds.Sparse, process.Id), context.CancellationToken).ConfigureAwait(false);
        var touched = new Dictionary<string, string>(StringComparer.Ordinal);
        var purge = false;
        var (run, started) = (context.Run(), Stopwatch.GetTimestamp());
        if (claim is null)
        {
            run.Outcome = StageRun.Nothing;
            return;
        }

        var activity = run.Continue(claim.Lack?.Cause.TraceParent);
        while (claim is not null)
        {
            FaultPoints.Reach("sparse.claimed");
            var snapshot = await database.ReadAsync(sql => IndexLines.ReadAsync(sql, crateId)).ConfigureAwait(false)
                ?? throw new InvalidOperationException($"crate {crateId} has a projection but no row");
            activity.SetTag(Tracing.CrateName, snapshot.Name);
            FaultPoints.Reach("sparse.rendered");
            var held = claim;
            if (snapshot.Revision > held.Revision) held = await database.WriteAsync(sql => Claims.RaiseAsync(sql, held, snapshot.Revision)).ConfigureAwait(false);

            var path = await WriteAsync(snapshot, held.Path, touched).ConfigureAwait(false);
            FaultPoints.Reach("sparse.written");
            ((claim, var shown), purge) = await database.WriteAsync(sql => CloseAsync(sql, held, path, touched, activity.Id)).ConfigureAwait(false);
            if (held.Lack is { } lack) Note(shown, lack, started, activity);
        }

        if (purge) await doorbell.RingAsync(new PurgeCdn()).ConfigureAwait(false);

        FaultPoints.Reach("sparse.closed");
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
