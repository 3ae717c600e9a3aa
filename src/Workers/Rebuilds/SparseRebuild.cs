using System.Threading.Channels;
using Pipeline.Contracts.Cdn;
using Pipeline.Registry.Bus;
using Pipeline.Registry.Database;
using Pipeline.Registry.Faults;
using Pipeline.Registry.Git;
using Pipeline.Registry.Options;
using Pipeline.Registry.Store;
using Pipeline.Registry.Truth;
using Pipeline.Workers.SparseIndex;

namespace Pipeline.Workers.Rebuilds;

/// <summary>
/// Makes the sparse index anew. Where the store is a folder, a new one is filled beside it, synced once and swapped in; on an object store
/// every crate is rendered again under a claim of its own, whatever its row says.
/// </summary>
public sealed class SparseRebuild(IDatabase database, IObjectStore store, SparseRenderer renderer, RegistryOptions registry, WorkerOptions workers, IDoorbell doorbell)
{
    private const int PageSize = 128;
    private const int MostRounds = 5;
    private const int FewEnough = 20;

    /// <summary>Runs one.</summary>
    /// <returns>What came of it, in a sentence.</returns>
    public async Task<string> RunAsync(RebuildRow row, RebuildProgress progress, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(row);
        ArgumentNullException.ThrowIfNull(progress);
        if (row.Folder is { } folder) return await IntoFolderAsync(row, folder, progress, cancellationToken).ConfigureAwait(false);
        if (row.Crate is { } crate) return await OneAsync(crate, cancellationToken).ConfigureAwait(false);
        return store.Folders is { } folders
            ? await SwapAsync(row, folders, progress, cancellationToken).ConfigureAwait(false)
            : await EachAsync(progress, cancellationToken).ConfigureAwait(false);
    }

    private async Task<string> OneAsync(string canonical, CancellationToken cancellationToken)
    {
        var id = await database.ReadAsync(
            sql => sql.LongAsync("SELECT COALESCE(place_id, id) FROM crates WHERE namespace = '' AND served AND canonical = $1", canonical), cancellationToken).ConfigureAwait(false)
            ?? throw new InvalidOperationException($"there is no crate {canonical}");
        await AgainAsync([id], cancellationToken).ConfigureAwait(false);
        return "the crate's file is rendered again";
    }

    private async Task<string> IntoFolderAsync(RebuildRow row, string folder, RebuildProgress progress, CancellationToken cancellationToken)
    {
        var unfinished = folder + ".unfinished";
        if (Directory.Exists(unfinished)) Directory.Delete(unfinished, recursive: true);
        Directory.CreateDirectory(unfinished);
        await File.WriteAllBytesAsync(Path.Combine(unfinished, IndexRepository.ConfigPath), await ConfigAsync(cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
        progress.Restart();
        var files = await FillAsync(unfinished, row.Crate, progress, cancellationToken).ConfigureAwait(false);
        FaultPoints.Reach("rebuild.filled");
        FinishedFolder.Place(unfinished, folder);
        return $"{files} index files in {folder}";
    }

    private async Task<string> SwapAsync(RebuildRow row, FolderStore folders, RebuildProgress progress, CancellationToken cancellationToken)
    {
        // Cut off around the swap: what moved before it is rendered again first, for it may already stand behind what is served.
        if (row is { State: RebuildStates.Swapping, Mark: { } before }) await AgainAsync(await MovedAsync(before).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
        var since = await database.ReadAsync(static sql => sql.NowAsync(), cancellationToken).ConfigureAwait(false);
        await database.WriteAsync(sql => RebuildRows.EnterAsync(sql, row.Id, RebuildStates.Running), cancellationToken).ConfigureAwait(false);
        var fresh = folders.BeginFolder(StoreKeys.Index);
        progress.Restart();
        var config = Path.Combine(folders.PathOfFolder(StoreKeys.Index), IndexRepository.ConfigPath);
        if (File.Exists(config)) File.Copy(config, Path.Combine(fresh, IndexRepository.ConfigPath));
        var files = await FillAsync(fresh, null, progress, cancellationToken).ConfigureAwait(false);
        FaultPoints.Reach("rebuild.filled");

        // What is published meanwhile goes in too, until there is next to nothing: so the swap takes hardly anything back, and that not for long.
        for (var round = 0; round < MostRounds; round++)
        {
            var from = since;
            since = await database.ReadAsync(static sql => sql.NowAsync(), cancellationToken).ConfigureAwait(false);
            var moved = await MovedAsync(from).ConfigureAwait(false);
            await foreach (var (path, content) in MovedCrates.FilesAsync(database, moved, cancellationToken).ConfigureAwait(false)) Write(fresh, path, content);
            if (moved.Count <= FewEnough) break;
        }

        await database.WriteAsync(sql => RebuildRows.EnterAsync(sql, row.Id, RebuildStates.Swapping, since), cancellationToken).ConfigureAwait(false);
        FaultPoints.Reach("rebuild.swapping");
        folders.SwapFolder(StoreKeys.Index);
        FaultPoints.Reach("rebuild.swapped");
        await AgainAsync(await MovedAsync(since).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
        folders.EndFolder(StoreKeys.Index);
        return $"{files} index files in place";

        ValueTask<List<long>> MovedAsync(long from) => database.ReadAsync(sql => MovedCrates.SinceAsync(sql, ProjectionKinds.Sparse, from), cancellationToken);
    }

    private async Task<string> EachAsync(RebuildProgress progress, CancellationToken cancellationToken)
    {
        while (true)
        {
            var after = progress.Position;
            var page = await database.ReadAsync(
                sql => sql.QueryAsync("SELECT id FROM crates WHERE namespace || '' = '' AND place_id IS NULL AND id > $1 ORDER BY id LIMIT $2", static row => row.Long(0), after, (long)PageSize),
                cancellationToken).ConfigureAwait(false);
            if (page.Count == 0) return "every crate's index file is rendered again";
            await AgainAsync(page, cancellationToken).ConfigureAwait(false);
            await progress.AddAsync(page.Count, page[^1]).ConfigureAwait(false);
            FaultPoints.Reach("rebuild.page");
        }
    }

    private async Task AgainAsync(IReadOnlyList<long> crates, CancellationToken cancellationToken)
    {
        var purge = 0;
        await Parallel.ForEachAsync(
            crates,
            new ParallelOptions { MaxDegreeOfParallelism = workers.SparseConcurrency, CancellationToken = cancellationToken },
            async (crate, stop) =>
            {
                if (await renderer.RenderAgainAsync(crate, stop).ConfigureAwait(false)) Interlocked.Exchange(ref purge, 1);
            }).ConfigureAwait(false);
        if (purge == 1) await doorbell.RingAsync(new PurgeCdn()).ConfigureAwait(false);
    }

    // One reads while others write: the database and the folder are waited for in turns otherwise.
    private async Task<long> FillAsync(string folder, string? crate, RebuildProgress progress, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var pages = Channel.CreateBounded<List<TrueFile>>(4);
        var files = 0L;
        var writing = Enumerable.Range(0, Math.Clamp(Environment.ProcessorCount, 1, 4)).Select(_ => Task.Run(
            async () =>
            {
                var made = new HashSet<string>(StringComparer.Ordinal);
                await foreach (var page in pages.Reader.ReadAllAsync(stop.Token).ConfigureAwait(false))
                {
                    foreach (var file in page)
                    {
                        if (file.Content is null) continue;
                        Write(folder, file.Path, file.Content, made);
                        Interlocked.Increment(ref files);
                    }
                }
            },
            stop.Token)).ToList();
        try
        {
            await foreach (var page in TruePages.AllAsync(database, crate, PageSize, stop.Token).ConfigureAwait(false))
            {
                if (writing.Find(static one => one.IsFaulted) is { } broken) await broken.ConfigureAwait(false);
                await pages.Writer.WriteAsync(page, stop.Token).ConfigureAwait(false);
                await progress.AddAsync(page.Count, page[^1].CrateId).ConfigureAwait(false);
            }

            pages.Writer.Complete();
            await Task.WhenAll(writing).ConfigureAwait(false);
        }
        catch
        {
            await stop.CancelAsync().ConfigureAwait(false);
            await Task.WhenAll(writing).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            throw;
        }

        return files;
    }

    private static void Write(string root, string path, byte[]? content, HashSet<string>? made = null)
    {
        var file = Path.Combine(root, path);
        var folder = Path.GetDirectoryName(file)!;
        if (content is null)
        {
            if (File.Exists(file)) File.Delete(file);
            return;
        }

        if (made is null || made.Add(folder)) Directory.CreateDirectory(folder);
        using var handle = File.OpenHandle(file, FileMode.Create, FileAccess.Write, FileShare.Read, preallocationSize: 0);
        RandomAccess.Write(handle, content, 0);
    }

    private async Task<byte[]> ConfigAsync(CancellationToken cancellationToken)
    {
        var stored = await store.OpenAsync(StoreKeys.SparseFile(IndexRepository.ConfigPath), cancellationToken).ConfigureAwait(false);
        if (stored is null) return IndexConfig.Render(registry);
        await using (stored.ConfigureAwait(false))
        {
            var bytes = new byte[stored.Length];
            await stored.Content.ReadExactlyAsync(bytes, cancellationToken).ConfigureAwait(false);
            return bytes;
        }
    }
}
