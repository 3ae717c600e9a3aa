using System.Text.Json.Nodes;
using Pipeline.Contracts;
using Pipeline.Registry.Database;

namespace Pipeline.Registry.Upstreams;

/// <summary>The rows of the upstreams that are followed, and their allow-lists.</summary>
public static class UpstreamStore
{
    private const string Columns =
        "name, index_url, dl_url, mode, every_us, collisions, removals, allow_only, allow_revision, config, place, removed_at IS NOT NULL, accept_removals";

    private const int NamesAtATime = 1000;

    /// <summary>One upstream, also one that is being taken away; null: there is none.</summary>
    public static ValueTask<Upstream?> FindAsync(Statements sql, string name)
    {
        ArgumentNullException.ThrowIfNull(sql);
        return sql.FirstAsync($"SELECT {Columns} FROM upstreams WHERE name = $1", Read, name);
    }

    /// <summary>All that are followed, the first in place first.</summary>
    public static ValueTask<List<Upstream>> AllAsync(Statements sql)
    {
        ArgumentNullException.ThrowIfNull(sql);
        return sql.QueryAsync($"SELECT {Columns} FROM upstreams WHERE removed_at IS NULL ORDER BY place, name", Read);
    }

    /// <summary>Adds one, or takes up again one that was removed.</summary>
    /// <returns>False: there is one of that name.</returns>
    public static async ValueTask<bool> AddAsync(Statements sql, Upstream upstream)
    {
        ArgumentNullException.ThrowIfNull(sql);
        ArgumentNullException.ThrowIfNull(upstream);
        return await sql.ExecuteAsync(
            """
            INSERT INTO upstreams (name, index_url, dl_url, mode, every_us, collisions, removals, allow_only, added_at, place)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, now_us(), (SELECT COALESCE(MAX(place), 0) + 1 FROM upstreams))
            ON CONFLICT (name) DO UPDATE SET index_url = excluded.index_url, dl_url = excluded.dl_url, mode = excluded.mode, every_us = excluded.every_us,
                collisions = excluded.collisions, removals = excluded.removals, allow_only = excluded.allow_only, allow_revision = upstreams.allow_revision + 1,
                config = NULL, added_at = excluded.added_at, place = excluded.place, checked_at = NULL, attempts = 0, last_error = NULL, next_try_at = NULL,
                rung_at = NULL, removed_at = NULL
            WHERE upstreams.removed_at IS NOT NULL
            """,
            upstream.Name, upstream.IndexUrl, upstream.DlUrl, upstream.Mode, upstream.EveryMicroseconds, upstream.Collisions, upstream.Removals, upstream.AllowOnly).ConfigureAwait(false) == 1;
    }

    /// <summary>Changes how one is followed; its next sync comes at once.</summary>
    public static async ValueTask<int> ChangeAsync(Statements sql, Upstream upstream)
    {
        ArgumentNullException.ThrowIfNull(sql);
        ArgumentNullException.ThrowIfNull(upstream);
        await UpstreamFiles.ForgetWantedAsync(sql, upstream.Name, upstream.Mode).ConfigureAwait(false);
        // What one server said of its files, another must not be asked with.
        await sql.ExecuteAsync(
            "UPDATE upstream_allowed SET etag = NULL, modified = NULL WHERE upstream = $1 AND EXISTS (SELECT 1 FROM upstreams u WHERE u.name = $1 AND u.index_url <> $2)",
            upstream.Name, upstream.IndexUrl).ConfigureAwait(false);
        return await sql.ExecuteAsync(
            """
            UPDATE upstreams SET index_url = $2, dl_url = $3, mode = $4, every_us = $5, collisions = $6, removals = $7, allow_only = $8,
                next_try_at = NULL, rung_at = NULL WHERE name = $1
            """,
            upstream.Name, upstream.IndexUrl, upstream.DlUrl, upstream.Mode, upstream.EveryMicroseconds, upstream.Collisions, upstream.Removals, upstream.AllowOnly).ConfigureAwait(false);
    }

    /// <summary>Replaces the allow-list; the next sync back-fills what is new in it and takes away what is no longer.</summary>
    /// <param name="sql">The open transaction.</param>
    /// <param name="upstream">Whose.</param>
    /// <param name="names">The names, in any spelling; null: no list, everything is followed.</param>
    public static async ValueTask AllowAsync(Statements sql, string upstream, IReadOnlyCollection<string>? names)
    {
        ArgumentNullException.ThrowIfNull(sql);
        await sql.ExecuteAsync(
            "UPDATE upstreams SET allow_only = $2, allow_revision = allow_revision + 1, next_try_at = NULL, rung_at = NULL WHERE name = $1", upstream, names is not null).ConfigureAwait(false);
        // Names that stay keep what is known of their files.
        var kept = new JsonArray();
        foreach (var name in names ?? []) kept.Add(CanonicalName.Of(name).Text);
        await sql.ExecuteAsync(
            $"DELETE FROM upstream_allowed WHERE upstream = $1 AND canonical NOT IN {sql.Dialect.TextList("$2")}", upstream, kept.ToJsonString()).ConfigureAwait(false);
        foreach (var chunk in (names ?? []).Chunk(NamesAtATime))
        {
            var list = new JsonArray();
            foreach (var name in chunk) list.Add(name);
            await sql.ExecuteAsync(
                $"""
                WITH names (name) AS {sql.Dialect.TextList("$2")}
                INSERT INTO upstream_allowed (upstream, canonical, name) SELECT $1, replace(lower(name), '-', '_'), name FROM names
                WHERE TRUE ON CONFLICT (upstream, canonical) DO NOTHING
                """,
                upstream, list.ToJsonString()).ConfigureAwait(false);
        }
    }

    /// <summary>Follows one no longer. Its crates go with the next sync, which comes at once: in batches, like everything else of an upstream.</summary>
    public static async ValueTask<int> RemoveAsync(Statements sql, string name)
    {
        ArgumentNullException.ThrowIfNull(sql);
        await UpstreamFiles.ForgetWantedAsync(sql, name, UpstreamModes.Metadata).ConfigureAwait(false);
        await sql.ExecuteAsync("DELETE FROM upstream_allowed WHERE upstream = $1", name).ConfigureAwait(false);
        return await sql.ExecuteAsync(
            "UPDATE upstreams SET removed_at = now_us(), allow_revision = allow_revision + 1, next_try_at = NULL, rung_at = NULL WHERE name = $1 AND removed_at IS NULL", name).ConfigureAwait(false);
    }

    /// <summary>Makes one due at once.</summary>
    /// <param name="sql">The open transaction.</param>
    /// <param name="name">Which.</param>
    /// <param name="acceptRemovals">Whether its next sync may take away as many crates as it says.</param>
    /// <returns>False: no such upstream is followed.</returns>
    public static async ValueTask<bool> HurryAsync(Statements sql, string name, bool acceptRemovals)
    {
        ArgumentNullException.ThrowIfNull(sql);
        return await sql.ExecuteAsync(
            "UPDATE upstreams SET next_try_at = NULL, rung_at = NULL, accept_removals = accept_removals OR $2 WHERE name = $1 AND removed_at IS NULL", name, acceptRemovals).ConfigureAwait(false) == 1;
    }

    /// <summary>The canonical names that are followed; null: all.</summary>
    public static async ValueTask<HashSet<string>?> AllowedAsync(Statements sql, Upstream upstream)
    {
        ArgumentNullException.ThrowIfNull(sql);
        ArgumentNullException.ThrowIfNull(upstream);
        if (upstream.IsRemoved) return [];
        if (!upstream.AllowOnly) return null;
        var names = await sql.QueryAsync("SELECT canonical FROM upstream_allowed WHERE upstream = $1", static row => row.Text(0), upstream.Name).ConfigureAwait(false);
        return new HashSet<string>(names, StringComparer.Ordinal);
    }

    /// <summary>Notes that a sync ended well: the next comes after its interval.</summary>
    public static ValueTask<int> CheckedAsync(Statements sql, string name)
    {
        ArgumentNullException.ThrowIfNull(sql);
        return sql.ExecuteAsync(
            "UPDATE upstreams SET checked_at = now_us(), accept_removals = FALSE, attempts = 0, last_error = NULL, next_try_at = now_us() + every_us, rung_at = NULL WHERE name = $1", name);
    }

    private static Upstream Read(Row row) => new()
    {
        Name = row.Text(0),
        IndexUrl = row.Text(1),
        DlUrl = row.TextOrNull(2),
        Mode = row.Text(3),
        EveryMicroseconds = row.Long(4),
        Collisions = row.Text(5),
        Removals = row.Text(6),
        AllowOnly = row.Bool(7),
        AllowRevision = row.Long(8),
        Config = row.TextOrNull(9),
        Place = row.Long(10),
        IsRemoved = row.Bool(11),
        AcceptRemovals = row.Bool(12),
    };
}
