using Pipeline.Contracts.Index;
using Pipeline.Registry.Database;

namespace Pipeline.Registry.Truth;

/// <summary>A crate as the index projections show it, at one revision.</summary>
/// <param name="Name">The stored spelling of the crate that is served.</param>
/// <param name="Revision">The revision the content shows.</param>
/// <param name="Content">The index file's bytes; null: the crate is deleted or has no version, there is no file.</param>
public sealed record IndexSnapshot(string Name, long Revision, byte[]? Content);

/// <summary>Renders index files from the database (crates-io-behaviour §3.7).</summary>
public static class IndexLines
{
    /// <summary>The id of the crate that is served under the name of the row <c>c</c>; null: none is. One projection row, that of <c>c</c>, shows it.</summary>
    public const string ServedOf =
        "CASE WHEN c.served THEN c.id ELSE (SELECT o.id FROM crates o WHERE o.namespace = c.namespace AND o.canonical = c.canonical AND o.served) END";

    /// <summary>Renders one crate's index file. Revision and lines come from one statement, so they belong together. Null: no such crate.</summary>
    public static async ValueTask<IndexSnapshot?> ReadAsync(Statements sql, long crateId)
    {
        ArgumentNullException.ThrowIfNull(sql);
        var rows = await sql.QueryAsync(
            $"""
            SELECT COALESCE(s.name, c.name), c.revision, v.entry_head, v.yanked, v.entry_tail, CASE WHEN s.state = 'active' THEN s.upstream_file END
            FROM crates c LEFT JOIN crates s ON s.id = {ServedOf}
            LEFT JOIN versions v ON v.crate_id = s.id AND v.state = 'active' AND s.state = 'active'
            WHERE c.id = $1 ORDER BY v.published_at, v.id
            """,
            static row => (Name: row.Text(0), Revision: row.Long(1), Head: row.TextOrNull(2), Yanked: !row.IsNull(3) && row.Bool(3), Tail: row.TextOrNull(4), File: row.BytesOrNull(5)),
            crateId).ConfigureAwait(false);
        if (rows.Count == 0) return null;
        var (name, revision, head, _, _, file) = rows[0];
        // A mirrored crate's file is what its upstream has, byte for byte.
        return new IndexSnapshot(name, revision, file ?? (head is null ? null : IndexFile.Render(rows.Select(row => (row.Head!, row.Yanked, row.Tail!)))));
    }
}
