using Pipeline.Registry.Database;

namespace Pipeline.Api.Search;

/// <summary>
/// Holds the search projection in memory, from the first search on. Each search asks the database whether the projection has moved, and fetches the
/// rows that were written since: what the worker has written, the next search finds.
/// </summary>
public sealed class SearchCache(IDatabase database) : IDisposable
{
    private readonly SemaphoreSlim _gate = new(1);
    private volatile Held _held = new(new SearchIndex(), new Progress(0, 0));

    /// <summary>The index as the projection stands now.</summary>
    /// <exception cref="Registry.Failures.TransientException">The database is away.</exception>
    public async ValueTask<SearchIndex> CurrentAsync(CancellationToken cancellationToken)
    {
        var progress = await database.ReadAsync(ProgressAsync, cancellationToken).ConfigureAwait(false);
        if (_held.Covers(progress)) return _held.Index;
        await _gate.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (!_held.Covers(progress)) _held = await FetchAsync(_held, progress, cancellationToken).ConfigureAwait(false);
            return _held.Index;
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _held.Index.Dispose();
        _gate.Dispose();
    }

    private async ValueTask<Held> FetchAsync(Held held, Progress progress, CancellationToken cancellationToken)
    {
        // What is held may have rows that are gone. Searches that run go on with it, so it is left to them.
        if (held.Progress.Generation != progress.Generation) held = new Held(new SearchIndex(), progress with { Position = 0 });
        var changed = new Dictionary<long, SearchEntry?>();
        var position = progress.Position;
        await database.ReadAsync(
            sql => sql.QueryAsync(
                """
                SELECT crate_id, canonical, name, description, keywords, categories, is_shown, in_force, created_at, updated_at, position FROM search
                WHERE position > $1
                """,
                row =>
                {
                    position = Math.Max(position, row.Long(10));
                    changed[row.Long(0)] = row.Bool(6)
                        ? SearchEntry.Of(row.Long(0), row.Text(1), row.Text(2), row.Text(3), row.Text(4), row.Text(5), row.Bool(7), row.Long(8), row.Long(9))
                        : null;
                    return true;
                },
                held.Progress.Position),
            cancellationToken).ConfigureAwait(false);
        held.Index.Apply(changed);
        return held with { Progress = progress with { Position = position } };
    }

    private static ValueTask<Progress> ProgressAsync(Statements sql) =>
        sql.FirstAsync("SELECT generation, position FROM search_progress WHERE id = 1", static row => new Progress(row.Long(0), row.Long(1)));

    private readonly record struct Progress(long Generation, long Position);

    private sealed record Held(SearchIndex Index, Progress Progress)
    {
        // Rows are read after the progress, so more may be held than it says.
        public bool Covers(Progress progress) => Progress.Generation == progress.Generation && Progress.Position >= progress.Position;
    }
}
