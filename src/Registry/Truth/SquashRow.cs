using Pipeline.Registry.Database;

namespace Pipeline.Registry.Truth;

/// <summary>What a squash did.</summary>
/// <param name="From">The commit that the history ended with.</param>
/// <param name="To">The one commit that stands there now.</param>
/// <param name="Branch">The branch that keeps the history.</param>
public sealed record Squashed(string From, string To, string Branch);

/// <summary>What the database knows of the squash: whether one is asked for, and what the last one did. Columns of the git index's one row.</summary>
public static class SquashRow
{
    /// <summary>The key of its failures.</summary>
    public const string Key = "index";

    /// <summary>Puts it off after a failure.</summary>
    public const string DelaySql =
        $"UPDATE git_index SET squash_attempts = squash_attempts + 1, squash_error = $2, squash_next_try_at = $3 WHERE target = '' AND squash_wanted_at IS NOT NULL AND $1 = '{Key}'";

    /// <summary>Makes one that failed due again.</summary>
    public const string ResetSql =
        $"UPDATE git_index SET squash_attempts = 0, squash_next_try_at = NULL WHERE target = '' AND squash_wanted_at IS NOT NULL AND $1 = '{Key}'";

    /// <summary>Asks for one; one that is asked for already stays.</summary>
    public static async ValueTask<int> WantAsync(Statements sql)
    {
        ArgumentNullException.ThrowIfNull(sql);
        return await sql.ExecuteAsync(
            "UPDATE git_index SET squash_wanted_at = now_us(), squash_attempts = 0, squash_error = NULL, squash_next_try_at = NULL WHERE target = '' AND squash_wanted_at IS NULL").ConfigureAwait(false);
    }

    /// <summary>Whether one is asked for and not put off.</summary>
    public static async ValueTask<bool> IsDueAsync(Statements sql)
    {
        ArgumentNullException.ThrowIfNull(sql);
        return await sql.LongAsync(
            "SELECT 1 FROM git_index WHERE target = '' AND squash_wanted_at IS NOT NULL AND (squash_next_try_at IS NULL OR squash_next_try_at <= now_us())").ConfigureAwait(false) is not null;
    }

    /// <summary>Notes, in the caller's transaction, that what was asked for is done.</summary>
    /// <param name="sql">The open transaction.</param>
    /// <param name="squashed">What was done; null: there was nothing to do.</param>
    public static async ValueTask DoneAsync(Statements sql, Squashed? squashed)
    {
        ArgumentNullException.ThrowIfNull(sql);
        await sql.ExecuteAsync(
            "UPDATE git_index SET squash_wanted_at = NULL, squash_attempts = 0, squash_error = NULL, squash_next_try_at = NULL WHERE target = ''").ConfigureAwait(false);
        if (squashed is null) return;
        await sql.ExecuteAsync(
            "UPDATE git_index SET squashed_at = now_us(), squashed_from = $1, squashed_to = $2, squash_branch = $3 WHERE target = ''",
            squashed.From, squashed.To, squashed.Branch).ConfigureAwait(false);
    }
}
