using Pipeline.Registry.Faults;
using Pipeline.Registry.Truth;
using Pipeline.Workers.Search;

namespace Pipeline.Workers.Rebuilds;

/// <summary>Makes the search projection anew, in place: every row is written from its crate, page by page, and what belongs to no crate is taken away.</summary>
public sealed class SearchRebuild(SearchProjection projection)
{
    /// <summary>Runs one.</summary>
    /// <returns>What came of it, in a sentence.</returns>
    public async Task<string> RunAsync(RebuildRow row, RebuildProgress progress, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(row);
        ArgumentNullException.ThrowIfNull(progress);
        if (row.Crate is { } crate)
        {
            return await projection.WriteCrateAsync(crate, cancellationToken).ConfigureAwait(false) > 0
                ? "the crate's row is written again"
                : throw new InvalidOperationException($"there is no crate {crate}");
        }

        // What an attempt before has written stands: it goes on behind it.
        while (await projection.WritePageAsync(progress.Position, cancellationToken).ConfigureAwait(false) is { } page)
        {
            cancellationToken.ThrowIfCancellationRequested();
            await progress.AddAsync(page.Crates, page.Last).ConfigureAwait(false);
            FaultPoints.Reach("rebuild.page");
        }

        return $"{await projection.PruneAsync(cancellationToken).ConfigureAwait(false)} rows in place";
    }
}
