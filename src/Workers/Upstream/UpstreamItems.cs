using Pipeline.Registry.Database;
using Pipeline.Registry.Failures;

namespace Pipeline.Workers.Upstream;

/// <summary>
/// The files of upstreams that could not be taken. Each has a row here, which says when it is tried again, and a failure, which is what
/// operators see and replay. The sync itself goes on.
/// </summary>
public static class UpstreamItems
{
    /// <summary>Makes a file due again, by the key of its failure.</summary>
    public const string ResetSql = "UPDATE upstream_items SET next_try_at = 0 WHERE upstream || ' ' || path = $1";

    /// <summary>Makes the upstream of such a file due.</summary>
    public const string ResetUpstreamSql =
        "UPDATE upstreams SET next_try_at = NULL, rung_at = NULL WHERE name IN (SELECT upstream FROM upstream_items WHERE upstream || ' ' || path = $1)";

    private const long FirstDelay = 60 * Microseconds.Second;
    private const long LongestDelay = 6 * 3600 * Microseconds.Second;

    /// <summary>The key that a file's failure is filed under.</summary>
    public static string Key(string upstream, string path) => $"{upstream} {path}";

    /// <summary>Notes that a file could not be taken, in the caller's transaction. It is tried again later, each time after twice as long.</summary>
    public static async ValueTask NoteAsync(Statements sql, string upstream, BadFile bad)
    {
        ArgumentNullException.ThrowIfNull(sql);
        ArgumentNullException.ThrowIfNull(bad);
        var attempts = await sql.LongAsync("SELECT attempts FROM upstream_items WHERE upstream = $1 AND path = $2", upstream, bad.Path).ConfigureAwait(false) ?? 0;
        var delay = attempts >= 12 ? LongestDelay : Math.Min(LongestDelay, FirstDelay << (int)attempts);
        await sql.ExecuteAsync(
            """
            INSERT INTO upstream_items (upstream, path, blob, code, text, first_seen, attempts, next_try_at) VALUES ($1, $2, $3, $4, $5, now_us(), 1, now_us() + $6)
            ON CONFLICT (upstream, path) DO UPDATE SET blob = excluded.blob, code = excluded.code, text = excluded.text, attempts = upstream_items.attempts + 1,
                next_try_at = excluded.next_try_at
            """,
            upstream, bad.Path, bad.BlobId, bad.Code, bad.Text, delay).ConfigureAwait(false);
        await FailureLog.NoteAsync(sql, SyncUpstreamDefinition.Queue, Key(upstream, bad.Path), "reject", bad.Code, bad.Text).ConfigureAwait(false);
    }

    /// <summary>A file could be taken after all, or is no longer there.</summary>
    public static async ValueTask ResolveAsync(Statements sql, string upstream, string path)
    {
        ArgumentNullException.ThrowIfNull(sql);
        await sql.ExecuteAsync("DELETE FROM upstream_items WHERE upstream = $1 AND path = $2", upstream, path).ConfigureAwait(false);
        await sql.ExecuteAsync(
            "UPDATE failures SET resolved_at = now_us() WHERE stage = $1 AND key = $2 AND resolved_at IS NULL", SyncUpstreamDefinition.Queue, Key(upstream, path)).ConfigureAwait(false);
    }

    /// <summary>The paths that have a row, and which of them are due.</summary>
    public static async ValueTask<(HashSet<string> All, List<string> Due)> OfAsync(Statements sql, string upstream)
    {
        ArgumentNullException.ThrowIfNull(sql);
        var rows = await sql.QueryAsync(
            "SELECT path, next_try_at <= now_us() FROM upstream_items WHERE upstream = $1 ORDER BY path", static row => (Path: row.Text(0), Due: row.Bool(1)), upstream).ConfigureAwait(false);
        return (rows.Select(static row => row.Path).ToHashSet(StringComparer.Ordinal), [.. rows.Where(static row => row.Due).Select(static row => row.Path)]);
    }
}
