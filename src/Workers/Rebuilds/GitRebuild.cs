using Pipeline.Contracts.Index;
using Pipeline.Registry.Bus;
using Pipeline.Registry.Database;
using Pipeline.Registry.Faults;
using Pipeline.Registry.Git;
using Pipeline.Registry.Options;
using Pipeline.Registry.Store;
using Pipeline.Registry.Truth;
using Pipeline.Workers.GitIndex;

namespace Pipeline.Workers.Rebuilds;

/// <summary>
/// Makes the git index anew, in a repository of its own, while the writer goes on. In place, the writer's right is then taken for a moment:
/// the tree, and what moved since, becomes one commit on top of what stands, or none when nothing differs.
/// </summary>
public sealed class GitRebuild(
    IDatabase database, IndexRepository repository, GitProgram git, GitIndexOptions options, RegistryOptions registry, GitIndexWriter writer, IDoorbell doorbell, TimeProvider clock)
{
    /// <summary>The message of the commit.</summary>
    public const string Message = "Rebuild the index from the registry's database";

    private const int PageSize = 128;

    /// <summary>Runs one.</summary>
    /// <returns>What came of it, in a sentence with the tree's id.</returns>
    public async Task<string> RunAsync(RebuildRow row, RebuildProgress progress, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(row);
        ArgumentNullException.ThrowIfNull(progress);
        if (row.Folder is { } folder) return await IntoFolderAsync(row, folder, progress, cancellationToken).ConfigureAwait(false);
        return row.Crate is { } crate
            ? await OneAsync(crate, cancellationToken).ConfigureAwait(false)
            : await InPlaceAsync(row, progress, cancellationToken).ConfigureAwait(false);
    }

    private async Task<string> OneAsync(string canonical, CancellationToken cancellationToken)
    {
        var id = await database.ReadAsync(
            sql => sql.LongAsync("SELECT COALESCE(place_id, id) FROM crates WHERE namespace = '' AND served AND canonical = $1", canonical), cancellationToken).ConfigureAwait(false)
            ?? throw new InvalidOperationException($"there is no crate {canonical}");
        await database.WriteAsync(sql => GitAgain.ForgetAsync(sql, id), cancellationToken).ConfigureAwait(false);
        await doorbell.RingAsync(new CommitIndex()).ConfigureAwait(false);
        return "the crate's file is looked at again with the next batch of commits";
    }

    private async Task<string> IntoFolderAsync(RebuildRow row, string folder, RebuildProgress progress, CancellationToken cancellationToken)
    {
        string tree;
        using (var fresh = await FreshIndex.BeginAsync(folder + ".unfinished", git, options, clock, cancellationToken).ConfigureAwait(false))
        {
            tree = await FillAsync(fresh, row.Crate, progress, cancellationToken).ConfigureAwait(false);
            FaultPoints.Reach("rebuild.filled");
            FinishedFolder.Place(fresh.Path, folder);
        }

        return $"tree {tree} in {folder}";
    }

    private async Task<string> InPlaceAsync(RebuildRow row, RebuildProgress progress, CancellationToken cancellationToken)
    {
        var since = await database.ReadAsync(static sql => sql.NowAsync(), cancellationToken).ConfigureAwait(false);
        await database.WriteAsync(sql => RebuildRows.EnterAsync(sql, row.Id, RebuildStates.Running), cancellationToken).ConfigureAwait(false);
        using var fresh = await FreshIndex.BeginAsync(repository.Path + ".rebuilt", git, options, clock, cancellationToken).ConfigureAwait(false);
        var tree = await FillAsync(fresh, null, progress, cancellationToken).ConfigureAwait(false);
        FaultPoints.Reach("rebuild.filled");

        await database.WriteAsync(sql => RebuildRows.EnterAsync(sql, row.Id, RebuildStates.Swapping), cancellationToken).ConfigureAwait(false);
        var commit = await writer.WriteAsync(
            async (session, tip, stop) =>
            {
                // Nobody else writes now. What was committed since the tree was begun is newer than it.
                var moved = await database.ReadAsync(sql => MovedCrates.SinceAsync(sql, ProjectionKinds.Git, since), stop).ConfigureAwait(false);
                var made = await fresh.CommitOnAsync(repository.Path, tip, tree, FilesAsync(tip, moved, stop), Message, stop).ConfigureAwait(false);
                FaultPoints.Reach("rebuild.swapping");
                if (made is null) return null;
                fresh.HandOver(repository.Path);
                if (session.Remote is null) await session.MoveAsync(tip, made, stop).ConfigureAwait(false);
                FaultPoints.Reach("rebuild.swapped");
                return made;
            },
            cancellationToken).ConfigureAwait(false);
        fresh.Remove();
        await doorbell.RingAsync(new CommitIndex()).ConfigureAwait(false);
        return commit is null ? $"tree {tree}: what stands is what the database says" : $"commit {commit} on top of what stood";
    }

    private async IAsyncEnumerable<(string Path, byte[]? Content)> FilesAsync(string? tip, List<long> moved, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var file in MovedCrates.FilesAsync(database, moved, cancellationToken).ConfigureAwait(false)) yield return file;
        // It may have been edited at a remote meanwhile.
        if (tip is not null && await repository.ReadAsync(tip, IndexRepository.ConfigPath, cancellationToken).ConfigureAwait(false) is { } config) yield return (IndexRepository.ConfigPath, config);
    }

    private Task<string> FillAsync(FreshIndex fresh, string? crate, RebuildProgress progress, CancellationToken cancellationToken)
    {
        progress.Restart();
        return fresh.WriteAsync(
            Message,
            async write =>
            {
                await write(IndexRepository.ConfigPath, await ConfigAsync(cancellationToken).ConfigureAwait(false)).ConfigureAwait(false);
                await foreach (var page in TruePages.AllAsync(database, crate, PageSize, cancellationToken).ConfigureAwait(false))
                {
                    foreach (var file in page)
                    {
                        if (file.Content is not null) await write(file.Path, file.Content).ConfigureAwait(false);
                    }

                    await progress.AddAsync(page.Count, page[^1].CrateId).ConfigureAwait(false);
                }
            },
            cancellationToken);
    }

    // As it stands, by whoever's hand; in a new index as the registry would write it.
    private async Task<byte[]> ConfigAsync(CancellationToken cancellationToken)
    {
        if (repository.Exists && await repository.ReadAsync(IndexRepository.Branch, IndexRepository.ConfigPath, cancellationToken).ConfigureAwait(false) is { } standing) return standing;
        var url = await database.ReadAsync(RegistryAddress.ReadAsync, cancellationToken).ConfigureAwait(false);
        return IndexConfig.Render(registry with { PublicUrl = url ?? registry.PublicUrl });
    }
}
