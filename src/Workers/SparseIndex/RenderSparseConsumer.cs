using MassTransit;
using Pipeline.Contracts.Index;
using Pipeline.Registry.Database;
using Pipeline.Registry.Faults;
using Pipeline.Registry.Store;
using Pipeline.Registry.Truth;

namespace Pipeline.Workers.SparseIndex;

/// <summary>Brings a crate's sparse index file up to the database's revision of it.</summary>
/// <remarks>
/// Triggered by: <see cref="RenderSparse"/>, from publish, yank and deletion, or from the sweep.
/// Produces: the whole index file in the object store, or its removal.
/// Safe to repeat because: the file is rendered whole from the database and left alone when equal.
/// Ordered/locked by: the durable claim (<see cref="Claims"/>): whoever was overtaken renders again.
/// May run in parallel: yes, also for the same crate.
/// </remarks>
public sealed class RenderSparseConsumer(IDatabase database, IObjectStore store, ThisProcess process) : IConsumer<RenderSparse>
{
    /// <inheritdoc/>
    public async Task Consume(ConsumeContext<RenderSparse> context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var crateId = context.Message.CrateId;
        var claim = await database.WriteAsync(sql => Claims.OpenAsync(sql, crateId, ProjectionKinds.Sparse, process.Id), context.CancellationToken).ConfigureAwait(false);
        while (claim is not null)
        {
            FaultPoints.Reach("sparse.claimed");
            var snapshot = await database.ReadAsync(sql => IndexLines.ReadAsync(sql, crateId)).ConfigureAwait(false)
                ?? throw new InvalidOperationException($"crate {crateId} has a projection but no row");
            FaultPoints.Reach("sparse.rendered");
            var held = claim;
            if (snapshot.Revision > held.Revision) held = await database.WriteAsync(sql => Claims.RaiseAsync(sql, held, snapshot.Revision)).ConfigureAwait(false);

            var path = await WriteAsync(snapshot, held.Path).ConfigureAwait(false);
            FaultPoints.Reach("sparse.written");
            claim = await database.WriteAsync(sql => Claims.CloseAsync(sql, held, path, process.Id)).ConfigureAwait(false);
        }

        FaultPoints.Reach("sparse.closed");
    }

    /// <summary>Writes what differs; returns where the file stands now.</summary>
    private async Task<string?> WriteAsync(IndexSnapshot snapshot, string? oldPath)
    {
        var path = IndexPath.Of(snapshot.Name);
        // A deleted crate that came back in another spelling leaves its old file behind. Nobody else's: a spelling has one canonical name,
        // and the crates that are served by this index are unique by it.
        if (oldPath is not null && oldPath != path) await store.DeleteAsync(StoreKeys.SparseFile(oldPath)).ConfigureAwait(false);
        var key = StoreKeys.SparseFile(path);
        if (snapshot.Content is null)
        {
            await store.DeleteAsync(key).ConfigureAwait(false);
            return null;
        }

        if (!await EqualsAsync(key, snapshot.Content).ConfigureAwait(false)) await store.PutAsync(key, snapshot.Content).ConfigureAwait(false);
        return path;
    }

    private async Task<bool> EqualsAsync(string key, byte[] content)
    {
        var stored = await store.OpenAsync(key).ConfigureAwait(false);
        if (stored is null) return false;
        await using (stored.ConfigureAwait(false))
        {
            if (stored.Length != content.Length) return false;
            var bytes = new byte[content.Length];
            await stored.Content.ReadExactlyAsync(bytes).ConfigureAwait(false);
            return bytes.AsSpan().SequenceEqual(content);
        }
    }
}
