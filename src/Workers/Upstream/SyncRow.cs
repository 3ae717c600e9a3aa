using Pipeline.Registry.Database;

namespace Pipeline.Workers.Upstream;

/// <summary>A sync of an upstream, as its row has it.</summary>
/// <param name="Id">The row.</param>
/// <param name="Upstream">The upstream.</param>
/// <param name="FromCommit">The state it begins at; null: everything is compared.</param>
/// <param name="ToCommit">The state it brings; null: of a sparse index.</param>
/// <param name="AllowRevision">The allow-list that it goes by.</param>
/// <param name="Position">The last path that is committed.</param>
public sealed record SyncRow(long Id, string Upstream, string? FromCommit, string? ToCommit, long AllowRevision, string Position)
{
    private const string Columns = "id, upstream, from_commit, to_commit, allow_revision, position";

    /// <summary>The newest sync that is done: how far the mirror has got for certain; null: nowhere.</summary>
    public static ValueTask<SyncRow?> DoneAsync(Statements sql, string upstream)
    {
        ArgumentNullException.ThrowIfNull(sql);
        return sql.FirstAsync($"SELECT {Columns} FROM upstream_syncs WHERE upstream = $1 AND state = 'done' ORDER BY id DESC LIMIT 1", Read, upstream);
    }

    /// <summary>The sync that was begun and has not ended; null: none.</summary>
    public static ValueTask<SyncRow?> RunningAsync(Statements sql, string upstream)
    {
        ArgumentNullException.ThrowIfNull(sql);
        return sql.FirstAsync($"SELECT {Columns} FROM upstream_syncs WHERE upstream = $1 AND state = 'running' ORDER BY id DESC LIMIT 1", Read, upstream);
    }

    /// <summary>Begins one.</summary>
    /// <param name="sql">The open transaction.</param>
    /// <param name="upstream">The upstream.</param>
    /// <param name="from">The state it begins at.</param>
    /// <param name="to">The state it brings.</param>
    /// <param name="allowRevision">The allow-list that it goes by.</param>
    /// <param name="total">How many files it looks at, if that is known.</param>
    public static async ValueTask<SyncRow> BeginAsync(Statements sql, string upstream, string? from, string? to, long allowRevision, int total = 0)
    {
        ArgumentNullException.ThrowIfNull(sql);
        return (await sql.FirstAsync(
            $"""
            INSERT INTO upstream_syncs (upstream, state, from_commit, to_commit, allow_revision, total, started_at) VALUES ($1, 'running', $2, $3, $4, $5, now_us())
            RETURNING {Columns}
            """,
            Read, upstream, from, to, allowRevision, (long)total).ConfigureAwait(false))!;
    }

    /// <summary>Ends one: <c>done</c>, or <c>given-up</c> for another that is begun in its place.</summary>
    /// <returns>False: it had ended.</returns>
    public static async ValueTask<bool> EndAsync(Statements sql, long id, string state)
    {
        ArgumentNullException.ThrowIfNull(sql);
        return await sql.ExecuteAsync("UPDATE upstream_syncs SET state = $2, finished_at = now_us() WHERE id = $1 AND state = 'running'", id, state).ConfigureAwait(false) == 1;
    }

    /// <summary>One that was interrupted looks at so many files beyond those that it has done.</summary>
    /// <returns>False: it had ended.</returns>
    public static async ValueTask<bool> GrowAsync(Statements sql, long id, int more)
    {
        ArgumentNullException.ThrowIfNull(sql);
        return await sql.ExecuteAsync(
            "UPDATE upstream_syncs SET total = added + changed + removed + equal + bad + $2 WHERE id = $1 AND state = 'running'", id, (long)more).ConfigureAwait(false) == 1;
    }

    private static SyncRow Read(Row row) => new(row.Long(0), row.Text(1), row.TextOrNull(2), row.TextOrNull(3), row.Long(4), row.Text(5));
}
