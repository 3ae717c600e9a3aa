using Pipeline.Registry.Database;

namespace Pipeline.Workers.GitIndex;

/// <summary>Has the writer look at a crate's file again, whatever its row says it shows.</summary>
public static class GitAgain
{
    // Behind from its first change on, so that all names that the crate ever had are looked at.
    private const string Sql =
        """
        UPDATE projections SET reached = 0, next_try_at = NULL, behind_since = COALESCE(behind_since, now_us()),
            first_change = COALESCE((SELECT MIN(h.id) FROM changes h WHERE h.crate_id = projections.crate_id), first_change)
        WHERE kind = 'git' AND target = '' AND crate_id = $1
        """;

    /// <summary>Forgets what the index shows of it.</summary>
    public static ValueTask<int> ForgetAsync(Statements sql, long crateId)
    {
        ArgumentNullException.ThrowIfNull(sql);
        return sql.ExecuteAsync(Sql, crateId);
    }
}
