using Pipeline.Registry.Bus;
using Pipeline.Registry.Changes;
using Pipeline.Registry.Database;

namespace Pipeline.Workers.Search;

/// <summary>
/// The search projection: the table <c>search</c>, one row for each local crate, made of the crate's own row alone. It follows the change feed
/// by its own watermark, and can be made anew while it is served.
/// </summary>
public sealed class SearchProjection(IDatabase database, TimeProvider clock)
{
    // A batch holds up other writers of SQLite for some milliseconds.
    private const long Batch = 500;

    // The first byte of a rank: the default version is not yanked (DefaultVersion).
    private static readonly byte[] InForce = [1];

    private const string Columns = "crate_id, canonical, name, description, keywords, categories, is_shown, in_force, created_at, updated_at, position";

    // $1 the position, $2 the rank's first byte of a version in force, $3 and $4 what the condition asks for. Every crate has the namespace, so no
    // index is to be chosen for it (IndexPages).
    private const string Rows =
        """
        SELECT c.id, c.canonical, c.name, COALESCE(c.description, ''), c.keywords, c.categories, c.served AND c.state = 'active',
            c.default_rank IS NOT NULL AND substr(c.default_rank, 1, 1) = $2, c.created_at, c.updated_at, CAST($1 AS BIGINT)
        FROM crates c WHERE c.namespace || '' = '' AND
        """;

    private const string Overwrite =
        """
        ON CONFLICT (crate_id) DO UPDATE SET canonical = excluded.canonical, name = excluded.name, description = excluded.description, keywords = excluded.keywords,
            categories = excluded.categories, is_shown = excluded.is_shown, in_force = excluded.in_force, created_at = excluded.created_at, updated_at = excluded.updated_at,
            position = excluded.position
        """;

    private const string PageSql = $"INSERT INTO search ({Columns}) {Rows} c.id > $3 AND c.id <= $4 {Overwrite}";

    // All crates of a changed crate's name: with one that comes or goes, another of that name may cease to be served, or begin to.
    private readonly string _changedSql =
        $"""
        WITH ids (id) AS {database.Dialect.TextList("$3")}
        INSERT INTO search ({Columns})
        {Rows} c.canonical IN (SELECT o.canonical FROM ids JOIN crates o ON o.id = CAST(ids.id AS BIGINT))
        {Overwrite}
        """;

    /// <summary>How often it follows: bells of a busy registry gather meanwhile.</summary>
    public BellPace Pace { get; } = new(TimeSpan.FromMilliseconds(100), clock);

    /// <summary>Whether there are changes that it does not show.</summary>
    public static async ValueTask<bool> IsBehindAsync(Statements sql)
    {
        ArgumentNullException.ThrowIfNull(sql);
        var watermark = await sql.LongAsync("SELECT watermark FROM search_progress").ConfigureAwait(false);
        return await ChangeFeed.SettledAsync(sql).ConfigureAwait(false) > (watermark ?? 0);
    }

    /// <summary>Follows the feed to its present end. Returns whether there was anything to do.</summary>
    public async Task<bool> FollowAsync(CancellationToken cancellationToken)
    {
        var any = false;
        while (await database.ReadAsync(IsBehindAsync, cancellationToken).ConfigureAwait(false))
        {
            await database.WriteUnsyncedAsync(FollowAsync, cancellationToken).ConfigureAwait(false);
            any = true;
        }

        return any;
    }

    /// <summary>Writes the rows of some crates anew, from a crate's row on, in the order of rows. It is served meanwhile, and following goes on.</summary>
    /// <param name="after">The crate's row behind which to begin.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>How many there were and the last one's row; null: there are none behind it.</returns>
    public async Task<(int Crates, long Last)?> WritePageAsync(long after, CancellationToken cancellationToken)
    {
        var last = await database.ReadAsync(
            sql => sql.LongAsync("SELECT MAX(id) FROM (SELECT id FROM crates WHERE id > $1 ORDER BY id LIMIT $2) page", after, Batch), cancellationToken).ConfigureAwait(false);
        if (last is not { } to) return null;
        var crates = await database.WriteAsync(
            async sql => await sql.ExecuteAsync(PageSql, (await NextAsync(sql).ConfigureAwait(false)).Position, InForce, after, to).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
        return (crates, to);
    }

    /// <summary>Writes the row of one crate anew; of all that have its name, of which one is served.</summary>
    /// <param name="canonical">Its canonical name.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task<int> WriteCrateAsync(string canonical, CancellationToken cancellationToken)
    {
        var ids = await database.ReadAsync(
            sql => sql.QueryAsync("SELECT id FROM crates WHERE namespace = '' AND canonical = $1", static row => row.Long(0), canonical), cancellationToken).ConfigureAwait(false);
        return await database.WriteAsync(
            async sql => await sql.ExecuteAsync(_changedSql, (await NextAsync(sql).ConfigureAwait(false)).Position, InForce, $"[{string.Join(',', ids)}]").ConfigureAwait(false),
            cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Takes away what belongs to no crate. Returns how many rows there are then.</summary>
    public async Task<long> PruneAsync(CancellationToken cancellationToken) => await database.WriteAsync(
        static async sql =>
        {
            await NextAsync(sql).ConfigureAwait(false);
            await sql.ExecuteAsync("DELETE FROM search WHERE NOT EXISTS (SELECT 1 FROM crates c WHERE c.id = search.crate_id AND c.namespace = '')").ConfigureAwait(false);
            await sql.ExecuteAsync("UPDATE search_progress SET generation = generation + 1").ConfigureAwait(false);
            return (await sql.LongAsync("SELECT COUNT(*) FROM search").ConfigureAwait(false))!.Value;
        },
        cancellationToken).ConfigureAwait(false);

    private async ValueTask<long> FollowAsync(Statements sql)
    {
        var (watermark, position) = await NextAsync(sql).ConfigureAwait(false);
        var page = await ChangeFeed.ReadAsync(sql, watermark, (int)Batch).ConfigureAwait(false);
        // Ids that were drawn in vain are passed over.
        var to = page.Changes.Count == 0 ? page.Settled : page.Changes[^1].Id;
        var crates = page.Changes.SelectMany(static change => change.CrateIds()).Distinct().ToList();
        if (crates.Count > 0) await sql.ExecuteAsync(_changedSql, position, InForce, $"[{string.Join(',', crates)}]").ConfigureAwait(false);
        // Another process may have been further when this one came to the row.
        await sql.ExecuteAsync("UPDATE search_progress SET watermark = $1 WHERE watermark < $1", to).ConfigureAwait(false);
        return to;
    }

    /// <summary>Locks the progress for a batch. Its row comes back by itself, so that an emptied projection can be made anew.</summary>
    private static async ValueTask<(long Watermark, long Position)> NextAsync(Statements sql)
    {
        (long, long)? next = null;
        while (next is null)
        {
            next = await sql.FirstAsync<(long, long)?>(
                "UPDATE search_progress SET position = position + 1 WHERE id = 1 RETURNING watermark, position", static row => (row.Long(0), row.Long(1))).ConfigureAwait(false);
            if (next is null)
            {
                await sql.ExecuteAsync(
                    "INSERT INTO search_progress (id, watermark, position, generation) SELECT 1, 0, COALESCE(MAX(position), 0), now_us() FROM search WHERE TRUE ON CONFLICT (id) DO NOTHING").ConfigureAwait(false);
            }
        }

        return next.Value;
    }
}
