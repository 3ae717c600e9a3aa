using Pipeline.Contracts;
using Pipeline.Registry.Database;
using Pipeline.Registry.Truth;

namespace Pipeline.Bench.Growth;

/// <summary>Rows as old publishes left them, inserted a page at a time into the database of a server that runs.</summary>
internal sealed class OldRows(IDatabase database)
{
    private const int Page = 10_000;
    private const string Letters = "bcdfghjklmnprstvwxyz";

    // As the sample crates are called, so that they lie in the same folders of the index.
    private const string Name = $"substr('{Letters}', CAST($1 + n AS INTEGER) % 20 + 1, 1) || 'a' || substr('{Letters}', CAST($1 + n AS INTEGER) / 20 % 20 + 1, 1) || 'e-old' || ($1 + n)";

    private static readonly string[] OfCrates =
    [
        "INSERT INTO owners (crate_id, user_id, added_at) SELECT id, (SELECT MAX(id) FROM users), now_us() FROM crates WHERE id > $1",
        """
        INSERT INTO versions (crate_id, num, num_no_build, sort_key, prerelease, checksum, size, object_key, entry_head, entry_tail, dependencies, features, has_lib, bin_names, description,
            published_by, publish_id, published_at, updated_at)
        SELECT id, '1.0.0', '1.0.0', CAST($2 AS BYTES), FALSE, 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855', 5120, 'crates/' || name || '/1.0.0',
            '{"name":"' || name || '","vers":"1.0.0","deps":[],"cksum":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","features":{},"yanked":', '}', '[]', '{}', TRUE, '[]',
            'A sample crate that was published long ago', (SELECT MAX(id) FROM users), 'old', now_us(), now_us()
        FROM crates WHERE id > $1
        """,
        "INSERT INTO changes (at, kind, crate_id, revision, name, num, git_at, sparse_at) SELECT now_us(), 'publish', id, 1, name, '1.0.0', now_us(), now_us() FROM crates WHERE id > $1",
        """
        INSERT INTO projections (crate_id, kind, target, wanted, reached, reached_at, claimed, first_change)
        SELECT c.id, k.kind, '', 1, 1, now_us(), 1, (SELECT MAX(id) FROM changes) FROM crates c CROSS JOIN (SELECT 'git' AS kind UNION ALL SELECT 'sparse') k WHERE c.id > $1
        """,
        """
        INSERT INTO search (crate_id, canonical, name, description, keywords, categories, is_shown, in_force, created_at, updated_at, position)
        SELECT id, canonical, name, description, '[]', '[]', TRUE, TRUE, now_us(), now_us(), (SELECT position + 1 FROM search_progress) FROM crates WHERE id > $1
        """,
        // The projection of search has them already.
        "UPDATE search_progress SET position = position + 1, watermark = (SELECT MAX(id) FROM changes)",
    ];

    private long _next;

    /// <summary>Adds crates of one version, with all that belongs to them.</summary>
    public async Task AddCratesAsync(int count)
    {
        var version = CrateVersion.Parse("1.0.0");
        await NumbersAsync();
        for (var done = 0; done < count; done += Page)
        {
            var most = Math.Min(Page, count - done);
            await database.WriteAsync(async sql =>
            {
                var last = await sql.LongAsync("SELECT COALESCE(MAX(id), 0) FROM crates") ?? 0;
                await sql.ExecuteAsync(
                    Bytes($"""
                    INSERT INTO crates (canonical, name, revision, description, num_versions, default_version, default_rank, last_published_at, created_at, updated_at)
                    SELECT replace({Name}, '-', '_'), {Name}, 1, 'A sample crate that was published long ago', 1, '1.0.0', CAST($3 AS BYTES), now_us(), now_us(), now_us() FROM bench_numbers WHERE n <= $2
                    """),
                    _next, (long)most, DefaultVersion.Rank(version, yanked: false));
                foreach (var text in OfCrates)
                {
                    if (text.Contains("$2", StringComparison.Ordinal)) await sql.ExecuteAsync(Bytes(text), last, version.ToSortKey());
                    else if (text.Contains("$1", StringComparison.Ordinal)) await sql.ExecuteAsync(text, last);
                    else await sql.ExecuteAsync(text);
                }

                return 0;
            });
            _next += most;
        }

        await SettleAsync();
    }

    /// <summary>Adds decided publishes, and a change for each, of the crates that are there.</summary>
    public async Task AddPublishesAsync(int count)
    {
        for (var done = 0; done < count; done += Page)
        {
            var most = Math.Min(Page, count - done);
            var from = (long)done;
            await database.WriteAsync(async sql =>
            {
                await sql.ExecuteAsync(
                    """
                    INSERT INTO publishes (id, canonical, name, num, num_no_build, checksum, size, user_id, claims, staging_key, state, received_at, parked_at, decided_at, deadline_at, crate_id, revision)
                    SELECT '00000000-0000-7000-8000-' || substr('000000000000' || ($1 + n), length('000000000000' || ($1 + n)) - 11), canonical, name, '1.0.0', '1.0.0', 'sum', 5120, (SELECT MAX(id) FROM users), '{}', 'staging',
                        'accepted', now_us(), now_us(), now_us(), now_us(), id, 1
                    FROM bench_numbers JOIN crates ON crates.id = ($1 + n) * 7919 % 1999 + 1 WHERE n <= $2
                    """,
                    from, (long)most);
                await sql.ExecuteAsync(
                    "INSERT INTO changes (at, kind, crate_id, revision, name, num, git_at, sparse_at) SELECT now_us(), 'yank', id, 1, name, '1.0.0', now_us(), now_us() FROM bench_numbers JOIN crates ON crates.id = ($1 + n) * 7919 % $3 + 1 WHERE n <= $2",
                    from, (long)most, _next);
                return await sql.ExecuteAsync("UPDATE search_progress SET watermark = (SELECT MAX(id) FROM changes)");
            });
        }

        await SettleAsync();
    }

    /// <summary>Adds versions of one crate.</summary>
    public async Task AddVersionsAsync(string crate, int count)
    {
        await database.WriteAsync(async sql =>
        {
            var id = await sql.LongAsync("SELECT id FROM crates WHERE name = $1", crate);
            await sql.ExecuteAsync(
                """
                INSERT INTO versions (crate_id, num, num_no_build, sort_key, prerelease, checksum, size, object_key, entry_head, entry_tail, dependencies, features, has_lib, bin_names, published_by, publish_id, published_at, updated_at)
                SELECT v.crate_id, '0.1.' || n, '0.1.' || n, v.sort_key, FALSE, v.checksum, 5120, v.object_key || '/' || n, replace(v.entry_head, '"vers":"1.0.0"', '"vers":"0.1.' || n || '"'), v.entry_tail, '[]', '{}', TRUE, '[]',
                    v.published_by, 'old', v.published_at + n, v.updated_at
                FROM bench_numbers JOIN versions v ON v.crate_id = $1 AND v.num = '1.0.0' WHERE n <= $2
                """,
                id, (long)count);
            await sql.ExecuteAsync("INSERT INTO changes (at, kind, crate_id, revision, name, num, git_at, sparse_at) SELECT now_us(), 'publish', $1, 1 + n, $2, '0.1.' || n, now_us(), now_us() FROM bench_numbers WHERE n <= $3", id, crate, (long)count);
            await sql.ExecuteAsync("UPDATE crates SET num_versions = num_versions + $2, revision = revision + $2, last_published_at = last_published_at + $2 WHERE id = $1", id, (long)count);
            await sql.ExecuteAsync("UPDATE projections SET wanted = wanted + $2, reached = reached + $2, claimed = claimed + $2 WHERE crate_id = $1", id, (long)count);
            return await sql.ExecuteAsync("UPDATE search_progress SET watermark = (SELECT MAX(id) FROM changes)");
        });
        await SettleAsync();
    }

    /// <summary>Has the server make both indexes of what is there.</summary>
    public async Task RebuildAsync()
    {
        foreach (var kind in (string[])[ProjectionKinds.Sparse, ProjectionKinds.Git])
        {
            var asked = await database.WriteAsync(async sql =>
            {
                var row = await RebuildRows.AskAsync(sql, kind, null, null, null);
                // Nobody rings, so the sweep does.
                await sql.ExecuteAsync("UPDATE rebuilds SET rung_at = NULL WHERE id = $1", row.Id);
                return row;
            });
            RebuildRow? row;
            while ((row = await database.ReadAsync(sql => RebuildRows.FindAsync(sql, asked.Id)))?.State is not (RebuildStates.Done or RebuildStates.Failed)) await Task.Delay(200);
            if (row!.State == RebuildStates.Failed) throw new InvalidOperationException($"the rebuild of {kind} failed: {row.Error}");
        }
    }

    // What a server of that age has behind it: statistics, and a log that was brought into the file.
    private async Task SettleAsync()
    {
        if (database.Dialect == Dialect.Postgres) await database.ReadAsync(static sql => sql.ExecuteAsync("VACUUM ANALYZE"));
        else await database.ReadAsync(static sql => sql.LongAsync("PRAGMA wal_checkpoint(PASSIVE)"));
    }

    private async Task NumbersAsync() => await database.WriteAsync(async sql =>
    {
        await sql.ExecuteAsync("CREATE TABLE IF NOT EXISTS bench_numbers (n BIGINT PRIMARY KEY)");
        return await sql.ExecuteAsync($"WITH RECURSIVE s (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {Page}) INSERT INTO bench_numbers (n) SELECT n FROM s WHERE TRUE ON CONFLICT (n) DO NOTHING");
    });

    private string Bytes(string text) => text.Replace("BYTES", database.Dialect == Dialect.Postgres ? "BYTEA" : "BLOB", StringComparison.Ordinal);
}
