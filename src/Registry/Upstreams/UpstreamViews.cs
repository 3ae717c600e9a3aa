using Pipeline.Registry.Database;

namespace Pipeline.Registry.Upstreams;

/// <summary>How an upstream stands. Times are UTC microseconds.</summary>
/// <param name="Upstream">How it is followed.</param>
/// <param name="Crates">Its crates that are here.</param>
/// <param name="Shadowed">Those of them that are not served, since another has the name.</param>
/// <param name="Gone">Those that it lost and that are kept.</param>
/// <param name="Bad">Its index files that could not be taken.</param>
/// <param name="Watermark">The commit of the newest sync that is done; null: none, or its index has no commits.</param>
/// <param name="CheckedAt">When the last sync ended well; null: none has.</param>
/// <param name="AgeSeconds">How long ago that was, or that it was added.</param>
/// <param name="Running">How far a sync is that has begun and not ended, and of how much; null: none.</param>
/// <param name="Attempts">Syncs that failed since the last good one.</param>
/// <param name="LastError">Why the last of them did.</param>
/// <param name="NextTryAt">The next; null: at once.</param>
/// <param name="Incident">Why it cannot be followed, <c>failing</c> or <c>stale</c>, and since when; null: it can.</param>
public sealed record UpstreamStanding(
    Upstream Upstream, long Crates, long Shadowed, long Gone, long Bad, string? Watermark, long? CheckedAt, double AgeSeconds, (long Done, long Total)? Running,
    long Attempts, string? LastError, long? NextTryAt, (string Reason, long Since)? Incident);

/// <summary>A name that more than one source has.</summary>
/// <param name="Name">As the served crate spells it, else as any does.</param>
/// <param name="Served">The source that is served; null: none.</param>
/// <param name="Others">The sources that are not.</param>
public sealed record Collision(string Name, string? Served, IReadOnlyList<string> Others);

/// <summary>An index file that could not be taken.</summary>
/// <param name="Path">Its path.</param>
/// <param name="Code">A stable word.</param>
/// <param name="Text">Why.</param>
/// <param name="Attempts">How often it was tried.</param>
/// <param name="NextTryAt">The next try, in UTC microseconds.</param>
public sealed record UntakenFile(string Path, string Code, string Text, long Attempts, long NextTryAt);

/// <summary>The queries behind <c>pipeline upstream</c>.</summary>
public static class UpstreamViews
{
    /// <summary>All that are followed.</summary>
    public static async ValueTask<List<UpstreamStanding>> StandingAsync(Statements sql)
    {
        ArgumentNullException.ThrowIfNull(sql);
        var standing = new List<UpstreamStanding>();
        foreach (var upstream in await UpstreamStore.AllAsync(sql).ConfigureAwait(false)) standing.Add(await OneAsync(sql, upstream).ConfigureAwait(false));
        return standing;
    }

    /// <summary>One.</summary>
    public static async ValueTask<UpstreamStanding> OneAsync(Statements sql, Upstream upstream)
    {
        ArgumentNullException.ThrowIfNull(sql);
        ArgumentNullException.ThrowIfNull(upstream);
        return (await sql.FirstAsync(
            """
            SELECT u.checked_at, now_us() - COALESCE(u.checked_at, u.added_at), u.attempts, u.last_error, u.next_try_at,
                (SELECT COUNT(*) FROM crates c WHERE c.namespace = '' AND c.source = u.name)
                    - (SELECT COUNT(*) FROM crates c WHERE c.namespace = '' AND c.source = u.name AND c.state = 'deleted'),
                (SELECT COUNT(*) FROM crates c WHERE c.namespace = '' AND c.source = u.name AND c.state = 'active' AND NOT c.served),
                (SELECT COUNT(*) FROM crates c WHERE c.namespace = '' AND c.source = u.name AND c.state = 'active' AND c.upstream_gone_at IS NOT NULL),
                (SELECT COUNT(*) FROM upstream_items i WHERE i.upstream = u.name),
                (SELECT s.to_commit FROM upstream_syncs s WHERE s.upstream = u.name AND s.state = 'done' ORDER BY s.id DESC LIMIT 1),
                (SELECT s.added + s.changed + s.removed + s.equal + s.bad FROM upstream_syncs s WHERE s.upstream = u.name AND s.state = 'running' ORDER BY s.id DESC LIMIT 1),
                (SELECT s.total FROM upstream_syncs s WHERE s.upstream = u.name AND s.state = 'running' ORDER BY s.id DESC LIMIT 1),
                i.reason, i.opened_at
            FROM upstreams u LEFT JOIN upstream_incidents i ON i.upstream = u.name AND i.closed_at IS NULL WHERE u.name = $1
            """,
            row => new UpstreamStanding(
                upstream, row.Long(5), row.Long(6), row.Long(7), row.Long(8), row.TextOrNull(9), row.LongOrNull(0), Math.Max(0, row.Long(1)) / (double)Microseconds.Second,
                row.IsNull(10) ? null : (row.Long(10), row.Long(11)), row.Long(2), row.TextOrNull(3), row.LongOrNull(4),
                row.IsNull(12) ? null : (row.Text(12), row.Long(13))),
            upstream.Name).ConfigureAwait(false))!;
    }

    /// <summary>Index files of an upstream that could not be taken, by path.</summary>
    public static ValueTask<List<UntakenFile>> UntakenAsync(Statements sql, string upstream, int most)
    {
        ArgumentNullException.ThrowIfNull(sql);
        return sql.QueryAsync(
            "SELECT path, code, text, attempts, next_try_at FROM upstream_items WHERE upstream = $1 ORDER BY path LIMIT $2",
            static row => new UntakenFile(row.Text(0), row.Text(1), row.Text(2), row.Long(3), row.Long(4)), upstream, (long)most);
    }

    /// <summary>Names that an upstream and another source have both.</summary>
    public static async ValueTask<List<Collision>> CollisionsAsync(Statements sql, string upstream, int most)
    {
        ArgumentNullException.ThrowIfNull(sql);
        var rows = await sql.QueryAsync(
            """
            WITH places (id) AS (
                SELECT place_id FROM crates WHERE place_id IS NOT NULL AND source = $1 AND state = 'active'
                UNION SELECT o.place_id FROM crates o JOIN crates p ON p.id = o.place_id WHERE o.place_id IS NOT NULL AND p.source = $1 AND p.state = 'active')
            SELECT c.canonical, c.name, c.source, c.served FROM places JOIN crates c ON c.id = places.id WHERE c.namespace || '' = '' AND c.state = 'active'
            UNION ALL SELECT c.canonical, c.name, c.source, c.served FROM places JOIN crates c ON c.place_id = places.id WHERE c.namespace || '' = '' AND c.state = 'active'
            """,
            static row => (Canonical: row.Text(0), Name: row.Text(1), Source: row.Text(2), Served: row.Bool(3)),
            upstream).ConfigureAwait(false);
        return
        [
            .. rows.GroupBy(static row => row.Canonical).Where(static group => group.Count() > 1).OrderBy(static group => group.Key, StringComparer.Ordinal).Take(most).Select(static group => new Collision(
                group.Where(static row => row.Served).Select(static row => row.Name).FirstOrDefault() ?? group.First().Name,
                group.Where(static row => row.Served).Select(static row => row.Source).FirstOrDefault(),
                [.. group.Where(static row => !row.Served).Select(static row => row.Source).Order(StringComparer.Ordinal)])),
        ];
    }
}
