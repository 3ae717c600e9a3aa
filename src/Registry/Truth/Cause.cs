using Pipeline.Registry.Database;

namespace Pipeline.Registry.Truth;

/// <summary>What stands behind a change of a crate.</summary>
/// <param name="TraceParent">W3C context of the work that made it; null for changes older than the column.</param>
/// <param name="AcceptedAt">When the publish behind it was kept, microseconds; null: it was no publish.</param>
public readonly record struct Cause(string? TraceParent, long? AcceptedAt)
{
    // Far more than ever wait together for one crate; a bound all the same.
    private const long Most = 100;

    /// <summary>The causes of a crate's changes from one on, of those that a projection does not show yet, up to a revision; oldest first.</summary>
    public static ValueTask<List<Cause>> BetweenAsync(Statements sql, long crateId, string kind, long firstChange, long revision)
    {
        ArgumentNullException.ThrowIfNull(sql);
        return sql.QueryAsync(
            """
            SELECT h.trace_parent, h.accepted_at FROM changes h JOIN projections p ON p.crate_id = h.crate_id AND p.kind = $2 AND p.target = ''
            WHERE h.crate_id = $1 AND h.id >= $3 AND h.revision > p.reached AND h.revision <= $4 ORDER BY h.id LIMIT $5
            """,
            static row => new Cause(row.TextOrNull(0), row.LongOrNull(1)),
            crateId, kind, firstChange, revision, Most);
    }
}
