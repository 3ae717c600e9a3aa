using System.Globalization;
using System.Text;
using Pipeline.Registry.Database;

namespace Pipeline.Registry.Truth;

/// <summary>Notes when each index showed a change, for the timeline of its publish.</summary>
public static class Shown
{
    /// <summary>The sparse index shows a crate up to a revision.</summary>
    /// <param name="sql">The transaction that says so.</param>
    /// <param name="crateId">The crate.</param>
    /// <param name="firstChange">The oldest change it lacked.</param>
    /// <param name="revision">The revision.</param>
    public static ValueTask<int> InSparseAsync(Statements sql, long crateId, long firstChange, long revision)
    {
        ArgumentNullException.ThrowIfNull(sql);
        return sql.ExecuteAsync(
            "UPDATE changes SET sparse_at = now_us() WHERE crate_id = $1 AND id >= $2 AND revision <= $3 AND sparse_at IS NULL", crateId, firstChange, revision);
    }

    /// <summary>The git index shows some crates, each up to a change; to be noted before their projections are.</summary>
    /// <param name="sql">The transaction that says so.</param>
    /// <param name="lastChanges">The newest change that is shown of each crate.</param>
    public static ValueTask<int> InGitAsync(Statements sql, IEnumerable<long> lastChanges)
    {
        ArgumentNullException.ThrowIfNull(sql);
        ArgumentNullException.ThrowIfNull(lastChanges);
        var ids = new StringBuilder("[").AppendJoin(',', lastChanges.Select(static id => id.ToString(CultureInfo.InvariantCulture))).Append(']').ToString();
        // One statement for a batch: over a network, one for each crate would cost as much as all else that is noted.
        return sql.ExecuteAsync(
            $"""
            UPDATE changes SET git_at = now_us() WHERE git_at IS NULL AND id IN (
                WITH ids (id) AS {sql.Dialect.TextList("$1")}
                SELECT h.id FROM ids JOIN changes n ON n.id = CAST(ids.id AS BIGINT)
                JOIN projections p ON p.crate_id = n.crate_id AND p.kind = 'git' AND p.target = ''
                JOIN changes h ON h.crate_id = n.crate_id AND h.id >= p.first_change AND h.id <= n.id)
            """,
            ids);
    }
}
