using Pipeline.Registry.Database;

namespace Pipeline.Tests.Growth;

/// <summary>
/// A registry of some age, in every table: much that is over and little that is open, as in a real one. Inserted, not published, by statements
/// that both engines read.
/// </summary>
internal static class SeededTables
{
    /// <summary>Puts the rows in.</summary>
    public static async Task FillAsync(IDatabase database)
    {
        var postgres = database.Dialect == Dialect.Postgres;
        await database.WriteAsync(async sql =>
        {
            await sql.ExecuteAsync("CREATE TABLE seeds (n BIGINT PRIMARY KEY)");
            await sql.ExecuteAsync("WITH RECURSIVE s (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 100000) INSERT INTO seeds (n) SELECT n FROM s");
            foreach (var seed in Seeds) await sql.ExecuteAsync(seed.Replace("BYTES", postgres ? "BYTEA" : "BLOB", StringComparison.Ordinal));
            return 0;
        });
        if (postgres) await database.ReadAsync(static sql => sql.ExecuteAsync("ANALYZE"));
    }

    private const string Name = "'crate' || n";
    private const string Id = "substr('000000' || n, -6)";

    private static readonly string[] Seeds =
    [
        "INSERT INTO registry (id, epoch, created_at) VALUES (1, 'epoch', 0)",
        "INSERT INTO users (id, login, login_key, created_at) SELECT n, 'user' || n, 'user' || n, n FROM seeds WHERE n <= 5000",
        "INSERT INTO tokens (id, user_id, name, hash, created_at, expires_at, revoked_at) SELECT n, n % 5000 + 1, 'token', CAST('hash' || n AS BYTES), n, CASE WHEN n % 3 = 0 THEN n END, CASE WHEN n % 5 = 0 THEN n END FROM seeds WHERE n <= 10000",
        "UPDATE tokens SET forgotten_at = 1 WHERE id < 9950 AND (expires_at IS NOT NULL OR revoked_at IS NOT NULL)",
        "INSERT INTO rate_buckets (user_id, action, tokens, last_refill) SELECT n, 'publish', 1, n FROM seeds WHERE n <= 5000",
        "INSERT INTO rate_overrides (user_id, action, burst) SELECT n, 'publish', 1 FROM seeds WHERE n <= 5",
        "INSERT INTO upstreams (name, index_url, mode, every_us, added_at) VALUES ('up', 'https://up.example/', 'full', 1, 0), ('other', 'https://other.example/', 'metadata', 1, 0)",
        $"""
        INSERT INTO crates (id, source, canonical, name, state, revision, description, num_versions, default_version, default_rank, last_published_at, created_at, updated_at)
        SELECT n, 'local', {Name}, {Name}, CASE WHEN n % 500 = 0 THEN 'deleted' ELSE 'active' END, 5, 'A crate of some use', 3, '1.0.1', CAST('rank' AS BYTES), n, n, n FROM seeds WHERE n <= 20000
        """,
        // Fifty of the upstream's have the name of a local one.
        $"""
        INSERT INTO crates (id, source, canonical, name, state, revision, num_versions, last_published_at, created_at, updated_at, upstream_blob, files_blob, upstream_file, served, place_id, upstream_gone_at)
        SELECT n, 'up', CASE WHEN n % 200 = 0 THEN 'crate' || (n - 20000) ELSE {Name} END, {Name}, CASE WHEN n % 500 = 1 THEN 'deleted' ELSE 'active' END, 5, 3, n, n, n,
            'blob', CASE WHEN n % 500 = 2 THEN NULL ELSE 'blob' END, CAST('file' AS BYTES), n % 200 <> 0, CASE WHEN n % 200 = 0 THEN n - 20000 END, CASE WHEN n % 500 = 3 THEN n END
        FROM seeds WHERE n > 20000 AND n <= 30000
        """,
        """
        INSERT INTO versions (id, crate_id, num, num_no_build, sort_key, prerelease, state, yanked, checksum, size, object_key, entry_head, entry_tail, dependencies, features, has_lib, bin_names,
            published_by, publish_id, published_at, updated_at)
        SELECT n, n % 20000 + 1, '1.0.' || n, '1.0.' || n, CAST('key' || n AS BYTES), n % 50 = 0, CASE WHEN n % 1000 = 0 THEN 'deleted' ELSE 'active' END, n % 200 = 1, 'sum', 1, 'object' || n, '{', '}', '[]', '{}', TRUE, '[]',
            n % 5000 + 1, 'publish', n, n
        FROM seeds WHERE n <= 60000
        """,
        // One that a twentieth of all depends on.
        "INSERT INTO dependencies (version_id, name) SELECT n, 'crate' || (n * 7 % 20000) FROM seeds WHERE n <= 60000",
        "INSERT INTO dependencies (version_id, name) SELECT n * 20, 'serde' FROM seeds WHERE n <= 3000",
        "INSERT INTO owners (crate_id, user_id, added_at) SELECT n, n % 5000 + 1, n FROM seeds WHERE n <= 20000",
        "INSERT INTO reserved_names (canonical) SELECT 'reserved' || n FROM seeds WHERE n <= 400",
        "INSERT INTO local_names (canonical, name, reserved_at) SELECT 'ours' || n, 'ours' || n, 0 FROM seeds WHERE n <= 400",
        $"""
        INSERT INTO publishes (id, canonical, name, num, num_no_build, checksum, size, user_id, claims, staging_key, state, received_at, parked_at, decided_at, deadline_at, verdict_code, crate_id, revision)
        SELECT {Id}, {Name}, {Name}, '1.0.0', '1.0.0', 'sum', 1, n % 5000 + 1, '[]', 'staging', CASE WHEN n > 99970 THEN 'parked' WHEN n > 99940 THEN 'checked' WHEN n % 50 = 0 THEN 'rejected' ELSE 'accepted' END,
            n, n, CASE WHEN n <= 99940 THEN n END, n, CASE WHEN n % 5000 = 0 THEN 'expired' END, n % 20000 + 1, 1
        FROM seeds
        """,
        "INSERT INTO reservations (namespace, source, canonical, num_no_build, holder, fence, reserved_at) SELECT '', 'local', 'crate' || n, '1', 'holder' || n, 1, n FROM seeds WHERE n <= 40",
        """
        INSERT INTO projections (crate_id, kind, target, wanted, reached, reached_at, first_change, path)
        SELECT n, k.kind, '', 5, CASE WHEN n % 1000 = 0 THEN 4 ELSE 5 END, n, n, 'path' FROM seeds CROSS JOIN (SELECT 'git' AS kind UNION ALL SELECT 'sparse' UNION ALL SELECT 'record') k WHERE n <= 30000
        """,
        "INSERT INTO processes (id, roles, started_at, seen_at) VALUES ('a', 'all', 0, 0), ('b', 'all', 0, 0)",
        "INSERT INTO process_stages (process, stage, running, done_per_minute) SELECT 'a', 'stage' || n, 0, 0 FROM seeds WHERE n <= 10",
        "INSERT INTO claims (id, crate_id, kind, target, revision, process, claimed_at) SELECT 'claim' || n, n, 'sparse', '', 5, 'a', n FROM seeds WHERE n <= 40",
        "INSERT INTO leases (name, process, fence, until) VALUES ('git', 'a', 1, 0)",
        "INSERT INTO changes (id, at, kind, crate_id, revision, name, num) SELECT n, n, 'publish', n % 20000 + 1, n / 20000 + 1, 'crate', '1.0.0' FROM seeds",
        "INSERT INTO audit (id, at, action, user_id, crate_id, version_id) SELECT n, n, 'publish', n % 5000 + 1, n % 20000 + 1, n % 60000 + 1 FROM seeds",
        """
        INSERT INTO purges (id, target, scope, value, cause, due_at, created_at, crate_id, confirmed_at, taken_at, taken_by)
        SELECT n, 'cache', 'url', 'url' || n, 'publish', n, n, n % 20000 + 1, CASE WHEN n <= 29940 THEN n END, CASE WHEN n > 29980 THEN n END, CASE WHEN n > 29980 THEN 'a' END FROM seeds WHERE n <= 30000
        """,
        "INSERT INTO served_files (path, sha256) VALUES ('config.json', 'x')",
        "INSERT INTO deletions (id, crate_id, version_id, revision, object_key, done_at) SELECT n, n, n, 1, 'object' || n, CASE WHEN n <= 4980 THEN n END FROM seeds WHERE n <= 5000",
        "INSERT INTO failures (id, stage, key, kind, code, text, first_seen, last_seen, resolved_at) SELECT n, 'render-sparse', 'key' || n, 'fault', 'code', 'text', n, n, CASE WHEN n <= 19960 THEN n END FROM seeds WHERE n <= 20000",
        "INSERT INTO upstream_allowed (upstream, canonical, name) SELECT 'other', 'crate' || n, 'crate' || n FROM seeds WHERE n <= 5000",
        "INSERT INTO upstream_syncs (upstream, state, allow_revision, started_at) SELECT 'up', CASE WHEN n < 5000 THEN 'done' ELSE 'running' END, 1, n FROM seeds WHERE n <= 5000",
        "INSERT INTO upstream_items (upstream, path, code, text, first_seen, attempts, next_try_at) SELECT 'up', 'path' || n, 'code', 'text', 0, 1, 0 FROM seeds WHERE n <= 50",
        """
        INSERT INTO upstream_files (crate_id, num, checksum, state, object_key, size, wanted_at, kept_at, used_at, last_error, turn)
        SELECT 20001 + n % 10000, '1.0.' || n, 'sum', CASE WHEN n <= 60 THEN 'wanted' WHEN n <= 120 THEN 'refused' WHEN n <= 5000 THEN 'evicted' ELSE 'kept' END,
            'file' || n, CASE WHEN n > 5000 OR n > 4980 THEN 1 END, n, CASE WHEN n > 120 THEN n END, n, CASE WHEN n BETWEEN 50 AND 120 THEN 'error' END, n FROM seeds WHERE n <= 30000
        """,
        "INSERT INTO upstream_incidents (upstream, reason, text, opened_at, closed_at) SELECT 'up', 'stale', 'text', n, n FROM seeds WHERE n <= 2000",
        "INSERT INTO webhooks (id, url, secret, kinds, crates, created_at, watermark) SELECT n, 'https://hook.example/', 'secret', '[]', '[]', 0, 99990 FROM seeds WHERE n <= 10",
        "INSERT INTO notices (webhook_id, change_id, attempts, last_error, given_up_at) SELECT n % 10 + 1, n * 33, 1, 'error', n FROM seeds WHERE n <= 3000",
        "INSERT INTO schedule_slots (schedule, slot, done_at) SELECT 'sweep', n, n FROM seeds WHERE n <= 20",
        "INSERT INTO reconcile_runs (id, cause, repair, state, started_at, finished_at) SELECT n, 'schedule', TRUE, CASE WHEN n <= 100 THEN 'done' ELSE 'running' END, n, CASE WHEN n <= 100 THEN n END FROM seeds WHERE n <= 101",
        "INSERT INTO reconcile_differences (run_id, kind, store, state, found_at) SELECT n % 100 + 1, 'missing', 'git', 'repaired', n FROM seeds WHERE n <= 5000",
        "INSERT INTO rebuilds (id, kind, state, asked_at, finished_at) SELECT n, 'git', CASE WHEN n <= 3000 THEN 'done' ELSE 'waiting' END, n, CASE WHEN n <= 3000 THEN n END FROM seeds WHERE n <= 3001",
        "INSERT INTO search (crate_id, canonical, name, description, keywords, categories, is_shown, in_force, created_at, updated_at, position) SELECT n, 'crate' || n, 'crate' || n, '', '[]', '[]', TRUE, TRUE, n, n, n FROM seeds WHERE n <= 30000",
        "UPDATE search_progress SET watermark = 99990, position = 30000",
        "INSERT INTO mails (subject, body, created_at, sent_at) SELECT 'subject', 'body', n, CASE WHEN n <= 3000 THEN n END FROM seeds WHERE n <= 3010",
    ];
}
