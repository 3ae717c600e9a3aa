using Pipeline.Registry.Database;

namespace Pipeline.Registry.Truth;

/// <summary>A rebuild of a projection: its row.</summary>
/// <param name="Id">The row.</param>
/// <param name="Kind"><c>git</c>, <c>sparse</c> …</param>
/// <param name="Crate">The canonical name of the one crate; null: all of them.</param>
/// <param name="Folder">Where to; null: into place.</param>
/// <param name="State">One of <see cref="RebuildStates"/>.</param>
/// <param name="Mark">From when on something may have been rendered that is newer than what was rebuilt, microseconds.</param>
/// <param name="Position">The last crate that is done for good.</param>
/// <param name="Done">How many crates are done.</param>
/// <param name="Total">Of how many.</param>
/// <param name="Result">What came of it.</param>
/// <param name="Error">Why it failed, or has to be tried again.</param>
/// <param name="AskedAt">When it was asked for.</param>
/// <param name="StartedAt">When it began.</param>
/// <param name="FinishedAt">When it ended.</param>
public sealed record RebuildRow(
    long Id, string Kind, string? Crate, string? Folder, string State, long? Mark, long Position, long Done, long Total, string? Result, string? Error,
    long AskedAt, long? StartedAt, long? FinishedAt)
{
    /// <summary>Whether it is over.</summary>
    public bool IsOver => FinishedAt is not null;
}

/// <summary>The states of a rebuild.</summary>
public static class RebuildStates
{
    /// <summary>Nobody has begun.</summary>
    public const string Waiting = "waiting";

    /// <summary>Files are made, beside what is served.</summary>
    public const string Running = "running";

    /// <summary>What was made takes its place; the git writer makes room.</summary>
    public const string Swapping = "swapping";

    /// <summary>It stands.</summary>
    public const string Done = "done";

    /// <summary>It was given up; what stood before stands.</summary>
    public const string Failed = "failed";
}

/// <summary>The rows of rebuilds. A rebuild that was cut off has a row without an end, which the sweep finds.</summary>
public static class RebuildRows
{
    /// <summary>Puts a rebuild off after a failure.</summary>
    public const string DelaySql = "UPDATE rebuilds SET attempts = attempts + 1, error = $2, next_try_at = $3 WHERE id = CAST($1 AS BIGINT) AND finished_at IS NULL";

    /// <summary>Makes a rebuild that waits, or failed, due again.</summary>
    public const string ResetSql =
        """
        UPDATE rebuilds SET attempts = 0, next_try_at = NULL, rung_at = NULL, error = NULL, finished_at = NULL, state = CASE WHEN state = 'failed' THEN 'waiting' ELSE state END
        WHERE id = CAST($1 AS BIGINT) AND state <> 'done'
        """;

    private const string Columns = "id, kind, crate, folder, state, mark, position, done, total, result, error, asked_at, started_at, finished_at";

    /// <summary>Asks for a rebuild, or returns the same one when it is under way.</summary>
    /// <param name="sql">The open transaction.</param>
    /// <param name="kind">Of what.</param>
    /// <param name="crate">The canonical name of one crate; null: all.</param>
    /// <param name="folder">An absolute path; null: into place.</param>
    /// <param name="userId">Who asks.</param>
    public static async ValueTask<RebuildRow> AskAsync(Statements sql, string kind, string? crate, string? folder, long? userId)
    {
        ArgumentNullException.ThrowIfNull(sql);
        return await sql.FirstAsync(
            $"SELECT {Columns} FROM rebuilds WHERE finished_at IS NULL AND kind = $1 AND COALESCE(crate, '') = $2 AND COALESCE(folder, '') = $3 ORDER BY id LIMIT 1",
            Read, kind, crate ?? "", folder ?? "").ConfigureAwait(false)
            ?? (await sql.FirstAsync(
                $"INSERT INTO rebuilds (kind, crate, folder, state, user_id, asked_at, rung_at) VALUES ($1, $2, $3, '{RebuildStates.Waiting}', $4, now_us(), now_us()) RETURNING {Columns}",
                Read, kind, crate, folder, userId).ConfigureAwait(false))!;
    }

    /// <summary>A rebuild; null: there is none of that number.</summary>
    public static ValueTask<RebuildRow?> FindAsync(Statements sql, long id)
    {
        ArgumentNullException.ThrowIfNull(sql);
        return sql.FirstAsync($"SELECT {Columns} FROM rebuilds WHERE id = $1", Read, id)!;
    }

    /// <summary>Rebuilds, newest first.</summary>
    public static ValueTask<List<RebuildRow>> ListAsync(Statements sql, long before, long most)
    {
        ArgumentNullException.ThrowIfNull(sql);
        return sql.QueryAsync($"SELECT {Columns} FROM rebuilds WHERE id < $1 ORDER BY id DESC LIMIT $2", Read, before, most);
    }

    /// <summary>Notes a state.</summary>
    /// <param name="sql">The open transaction.</param>
    /// <param name="id">The row.</param>
    /// <param name="state">The state.</param>
    /// <param name="mark">From when on what is rendered must be looked at again; null: as it was.</param>
    public static ValueTask<int> EnterAsync(Statements sql, long id, string state, long? mark = null)
    {
        ArgumentNullException.ThrowIfNull(sql);
        return sql.ExecuteAsync(
            "UPDATE rebuilds SET state = $2, mark = COALESCE(CAST($3 AS BIGINT), mark), started_at = COALESCE(started_at, now_us()), rung_at = now_us(), next_try_at = NULL WHERE id = $1 AND finished_at IS NULL",
            id, state, mark);
    }

    /// <summary>Notes how far it has got, which also keeps the sweep from ringing for it.</summary>
    public static ValueTask<int> ProgressAsync(Statements sql, long id, long done, long total, long position)
    {
        ArgumentNullException.ThrowIfNull(sql);
        return sql.ExecuteAsync("UPDATE rebuilds SET done = $2, total = $3, position = $4, rung_at = now_us() WHERE id = $1 AND finished_at IS NULL", id, done, total, position);
    }

    /// <summary>Ends it.</summary>
    /// <param name="sql">The open transaction.</param>
    /// <param name="id">The row.</param>
    /// <param name="state">How.</param>
    /// <param name="result">What came of it.</param>
    /// <param name="error">Why it failed.</param>
    public static ValueTask<int> EndAsync(Statements sql, long id, string state, string? result, string? error)
    {
        ArgumentNullException.ThrowIfNull(sql);
        return sql.ExecuteAsync(
            "UPDATE rebuilds SET state = $2, result = $3, error = $4, finished_at = now_us(), done = CASE WHEN $2 = 'done' THEN total ELSE done END WHERE id = $1 AND finished_at IS NULL",
            id, state, result, error);
    }

    /// <summary>Claims those that nobody is at, for the sweep.</summary>
    public static ValueTask<List<long>> ClaimAsync(Statements sql, long againAfter, int most) => LongWork.ClaimAsync(sql, "rebuilds", againAfter, most);

    /// <summary>
    /// Whether a rebuild of the git index wants the writer's right: whoever holds it lets it run out. One that has given no sign of life for
    /// a minute wants nothing any more.
    /// </summary>
    public static async ValueTask<bool> WantsGitAsync(Statements sql)
    {
        ArgumentNullException.ThrowIfNull(sql);
        return await sql.LongAsync(
            $"SELECT 1 FROM rebuilds WHERE finished_at IS NULL AND kind = 'git' AND state = '{RebuildStates.Swapping}' AND rung_at > now_us() - 60000000 LIMIT 1").ConfigureAwait(false) is not null;
    }

    private static RebuildRow Read(Row row) => new(
        row.Long(0), row.Text(1), row.TextOrNull(2), row.TextOrNull(3), row.Text(4), row.LongOrNull(5), row.Long(6), row.Long(7), row.Long(8), row.TextOrNull(9),
        row.TextOrNull(10), row.Long(11), row.LongOrNull(12), row.LongOrNull(13));
}
