namespace Pipeline.Tests.Growth;

/// <summary>Statements that may read more the older or larger the registry is, each with the reason why it may.</summary>
internal static class LongReads
{
    private const string Page = "a page: it follows an index and stops at its limit, and nothing but its end keeps it from being full";
    private const string First = "it follows an index and stops at the first row";
    private const string Behind = "what lies behind a watermark is what is open";
    private const string Forgets = "it runs when there is something to forget, and reads a page of that; the rest is PostgreSQL's choice while the table is small";
    private const string Asked = "an operator's question or order, rare, about all there is";
    private const string Whole = "a rebuild, a reconcile or a recovery reads the whole registry, once";
    private const string Sync = "a sync of an upstream compares all that was taken from it; with a commit to start from only its changes are read";
    private const string Counted = "kept for a hundred times as long as it took (RareCounts)";
    private const string Dependents = "as many rows as there are dependents of one crate, which is what is asked for";

    private static readonly (string Text, string Table, string Reason)[] All =
    [
        ("FROM changes h WHERE h.id > $1 AND h.id <= $2 ORDER BY h.id LIMIT", "changes", Page),
        ("FROM changes h WHERE h.id > $1 ORDER BY h.id LIMIT $2", "changes", Page),
        ("FROM tokens t JOIN users u ON u.id = t.user_id WHERE t.id < $1 AND t.forgotten_at IS NULL ORDER BY t.id DESC LIMIT", "tokens", Page),
        ("FROM users WHERE id > $1 ORDER BY id LIMIT", "users", Page),
        ("FROM rebuilds WHERE id < $1 ORDER BY id DESC LIMIT", "rebuilds", Page),
        ("FROM upstream_files WHERE state = 'kept' ORDER BY used_at LIMIT", "upstream_files", Page),
        ("FROM crates c WHERE c.state = 'active' AND c.served ORDER BY c.id DESC LIMIT", "crates", Page),
        ("FROM (SELECT id, crate_id FROM changes ORDER BY id DESC LIMIT $2) recent", "changes", Page),
        ("FROM publishes p JOIN users u ON u.id = p.user_id WHERE p.id < $1 AND p.received_at >= $2", "publishes", "an operator's list: a page of the newest, further back only for a filter that few rows pass"),
        ("last_seen < $7 AND resolved_at IS NOT NULL ORDER BY id DESC LIMIT", "failures", "an operator's list of what is over, which is forgotten after some days"),

        ("SELECT MAX(id) FROM changes", "changes", First),
        ("SELECT MAX(id) FROM crates", "crates", First),
        ("COALESCE(MAX(position), 0)", "search", First),
        ("FROM upstream_syncs WHERE upstream = $1 AND state = 'done' ORDER BY id DESC LIMIT 1", "upstream_syncs", First),
        ("FROM upstream_syncs WHERE upstream = $1 AND state = 'running' ORDER BY id DESC LIMIT 1", "upstream_syncs", First),
        ("s.state = 'done' ORDER BY s.id DESC LIMIT 1", "upstream_syncs", First),
        ("SELECT 1 WHERE (SELECT MIN(resolved_at)", "failures", First),
        ("SELECT 1 WHERE (SELECT MIN(resolved_at)", "purges", First),
        ("SELECT 1 WHERE (SELECT MIN(resolved_at)", "tokens", First),

        ("FROM changes WHERE id > (SELECT watermark FROM search_progress)", "changes", Behind),
        ("FROM changes h WHERE h.id > w.watermark", "changes", Behind),
        ("is_shown, in_force, created_at, updated_at, position FROM search WHERE position > $1", "search", Behind),

        ("DELETE FROM failures WHERE id IN", "failures", Forgets),
        ("DELETE FROM purges WHERE id IN", "purges", Forgets),
        ("DELETE FROM mails WHERE sent_at <", "mails", "mails to operators are few, and forgotten after some days"),
        ("DELETE FROM reconcile_differences WHERE run_id <=", "reconcile_differences", "it reads what it deletes"),

        ("SELECT (SELECT COUNT(*) FROM crates), (SELECT", "crates", Counted),
        ("SELECT (SELECT COUNT(*) FROM crates), (SELECT", "versions", Counted),
        ("SELECT (SELECT COUNT(*) FROM crates), (SELECT", "users", Counted),
        ("SELECT f.state, COUNT(*), CAST(COALESCE(SUM(f.size), 0)", "crates", Counted),
        ("SELECT f.state, COUNT(*), CAST(COALESCE(SUM(f.size), 0)", "upstream_files", Counted),
        ("SELECT CAST(COALESCE(SUM(size), 0) AS BIGINT) FROM upstream_files WHERE state = 'kept'", "upstream_files", "of a mirror with a budget alone: read from one narrow index, a few times a minute at most"),
        ("FROM dependencies d JOIN versions v ON v.id = d.version_id", "dependencies", Dependents),

        ("FROM users ORDER BY id", "users", Asked),
        ("WHERE (t.revoked_at IS NULL OR $1 = 1) AND t.forgotten_at IS NULL ORDER BY t.id DESC", "tokens", Asked),
        ("WHERE (t.revoked_at IS NULL OR $1 = 1) AND t.forgotten_at IS NULL ORDER BY t.id DESC", "users", Asked),
        ("SELECT u.checked_at, now_us() - COALESCE(u.checked_at, u.added_at)", "crates", Asked),
        ("SELECT u.checked_at, now_us() - COALESCE(u.checked_at, u.added_at)", "upstream_syncs", First),
        ("UPDATE crates SET files_blob = NULL WHERE", "crates", Asked),
        ("DELETE FROM upstream_files WHERE state = 'wanted' AND turn < $2", "crates", Asked),
        ("UPDATE notices SET next_try_at = now_us() WHERE CAST(webhook_id AS TEXT)", "notices", Asked),
        ("DELETE FROM upstream_allowed WHERE upstream = $1", "upstream_allowed", Asked),
        ("UPDATE upstream_allowed SET etag = NULL", "upstream_allowed", Asked),

        ("SELECT canonical FROM upstream_allowed WHERE upstream = $1", "upstream_allowed", Sync),
        ("SELECT canonical, name, etag, modified FROM upstream_allowed WHERE upstream = $1", "upstream_allowed", Sync),
        ("SELECT canonical, name, upstream_gone_at IS NOT NULL FROM crates", "crates", Sync),
        ("SELECT name, upstream_blob FROM crates WHERE namespace = '' AND source = $1", "crates", Sync),
        ("SELECT COUNT(*) FROM crates WHERE namespace = '' AND source = $1 AND state = 'active'", "crates", Sync),

        ("DELETE FROM search WHERE NOT EXISTS", "search", Whole),
        ("DELETE FROM search WHERE NOT EXISTS", "crates", Whole),
        ("SELECT COUNT(*) FROM search", "search", Whole),
        ("INSERT INTO search (crate_id,", "crates", Whole),
        ("SELECT COUNT(*) FROM crates WHERE namespace = '' AND served", "crates", Whole),
        ("SELECT COUNT(*) FROM versions WHERE state = 'active'", "versions", Whole),
        ("SELECT MAX(id) FROM (SELECT id FROM crates WHERE id > $1", "crates", Whole),
        ("FROM crates c LEFT JOIN versions v ON v.crate_id = c.id AND v.state = 'active' AND c.state = 'active' WHERE c.id > $1 AND c.id <= $2", "crates", Whole),
        ("SELECT id, upstream_file FROM crates WHERE id > $1 AND id <= $2", "crates", Whole),
        ("SELECT id FROM crates WHERE namespace || '' = '' AND place_id IS NULL AND id > $1", "crates", Whole),
        ("SELECT COUNT(*), MAX(crate_id) FROM (SELECT crate_id FROM projections", "projections", Whole),
        ("crate_id IN (SELECT id FROM crates WHERE id > $1 AND id <= $2)", "crates", Whole),
        ("SELECT p.crate_id FROM projections p JOIN crates c ON c.id = p.crate_id WHERE p.kind = $1", "crates", Whole),
        ("SELECT p.crate_id FROM projections p JOIN crates c ON c.id = p.crate_id WHERE p.kind = $1", "projections", Whole),
        ("SELECT id, name FROM crates WHERE namespace = '' AND served AND state = 'active' AND id % $1", "crates", Whole),
        ("SELECT canonical FROM crates WHERE namespace = '' AND source = 'local'", "crates", Whole),
        ("SELECT canonical FROM crates WHERE source <> 'local'", "crates", Whole),
        ("UPDATE projections SET reached = 0, rung_at = NULL", "projections", Whole),
    ];

    /// <summary>Whether a statement may read a table at length.</summary>
    public static bool IsAllowed(string sql, string table) => All.Any(one => one.Table == table && sql.Contains(one.Text, StringComparison.Ordinal));

    /// <summary>The entries that no statement has any more.</summary>
    public static IEnumerable<string> Stale(IReadOnlyCollection<string> statements) =>
        All.Select(static one => one.Text).Distinct().Where(text => !statements.Any(sql => sql.Contains(text, StringComparison.Ordinal)));
}

/// <summary>Texts that look like SQL and are not explained, each with the reason why not.</summary>
internal static class UnexplainedSql
{
    private static readonly (string Text, string Reason)[] All =
    [
        ("SELECT changes_settled()", "PostgreSQL's, which says nothing of what a function of ours reads: a sequence and the locks that are held"),
        ("pg_advisory_xact_lock", "PostgreSQL's; reads no table"),
        ("to_regclass", "PostgreSQL's; reads no table of ours"),
        ("FROM sqlite_master", "SQLite's; reads no table of ours"),
        ("(SELECT jsonb_array_elements_text({0}::jsonb))", "the form of a piece that stands in statements filled in"),
        ("(SELECT value FROM json_each({0}))", "the form of a piece that stands in statements filled in"),
        ("Put behind a SELECT that claims rows", "a description, for people"),
    ];

    /// <summary>Whether a text is one of them.</summary>
    public static bool IsKnown(string text) => All.Any(one => text.Contains(one.Text, StringComparison.Ordinal));
}
