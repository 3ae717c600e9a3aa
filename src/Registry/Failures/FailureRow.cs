using Pipeline.Registry.Database;

namespace Pipeline.Registry.Failures;

/// <summary>A failure as it stands. Times are microseconds.</summary>
/// <param name="Id">Its row.</param>
/// <param name="Stage">The stage it happened in.</param>
/// <param name="Key">What the stage worked on.</param>
/// <param name="Kind"><c>reject</c>, <c>transient</c> or <c>fault</c>.</param>
/// <param name="Code">What kind of failure, for filters.</param>
/// <param name="Text">What happened.</param>
/// <param name="TraceId">The trace it happened in.</param>
/// <param name="FirstSeen">When first.</param>
/// <param name="LastSeen">When last.</param>
/// <param name="Count">How often.</param>
/// <param name="NextTryAt">When it is tried next; null: nobody put it off. <see cref="FailureLog.Parked"/>: when it is replayed.</param>
/// <param name="ReplayedAt">When it was replayed last.</param>
/// <param name="ResolvedAt">When it was over.</param>
public sealed record FailureRow(
    long Id, string Stage, string Key, string Kind, string Code, string Text, string? TraceId, long FirstSeen, long LastSeen, long Count,
    long? NextTryAt, long? ReplayedAt, long? ResolvedAt)
{
    private const string Columns = "id, stage, key, kind, code, text, trace_id, first_seen, last_seen, count, next_try_at, replayed_at, resolved_at";

    private const string ListSql =
        $"""
        SELECT {Columns} FROM failures
        WHERE id < $1 AND ($2 = '' OR stage = $2) AND ($3 = '' OR code = $3) AND ($4 = '' OR kind = $4) AND ($5 = '' OR key = $5) AND last_seen >= $6 AND last_seen < $7
        """;

    /// <summary>Whether it was about a message that nobody could read, and not about a row.</summary>
    public bool IsUnreadable => Code is FailureLog.UnreadableMessage or FailureLog.SkippedMessage;

    /// <summary>
    /// <c>resolved</c>; <c>unreadable</c>, a message of which nothing but this is left; <c>replayed</c>, and not tried since; <c>parked</c> until it is
    /// replayed; or <c>retrying</c>, by itself.
    /// </summary>
    public string State =>
        ResolvedAt is not null ? "resolved"
        : IsUnreadable ? "unreadable"
        : ReplayedAt >= LastSeen ? "replayed"
        : NextTryAt >= FailureLog.Parked ? "parked"
        : "retrying";

    /// <summary>Reads one; null: there is none.</summary>
    public static ValueTask<FailureRow?> FindAsync(Statements sql, long id)
    {
        ArgumentNullException.ThrowIfNull(sql);
        return sql.FirstAsync($"SELECT {Columns} FROM failures WHERE id = $1", Read, id);
    }

    /// <summary>Reads a page, newest first.</summary>
    public static ValueTask<List<FailureRow>> ListAsync(Statements sql, FailureQuery query)
    {
        ArgumentNullException.ThrowIfNull(sql);
        ArgumentNullException.ThrowIfNull(query);
        // Open ones are few, whatever has been resolved: they have an index of their own.
        var text = query.Resolved ? $"{ListSql} AND resolved_at IS NOT NULL ORDER BY id DESC LIMIT $8" : $"{ListSql} AND resolved_at IS NULL ORDER BY id DESC LIMIT $8";
        return sql.QueryAsync(
            text, Read, query.Before, query.Stage ?? "", query.Code ?? "", query.Kind ?? "", query.Key ?? "", query.Since ?? 0, query.Until ?? long.MaxValue, (long)query.Limit);
    }

    /// <summary>Every failure about a key that is still remembered, oldest first; a bound keeps a key that fails for ever from filling an answer.</summary>
    internal static ValueTask<List<FailureRow>> OfKeyAsync(Statements sql, string key) =>
        sql.QueryAsync($"SELECT {Columns} FROM failures WHERE key = $1 ORDER BY id LIMIT 200", Read, key);

    /// <summary>Takes a failure for its replay: its row is held until the transaction ends. Null: it is over, or there is none.</summary>
    internal static ValueTask<FailureRow?> TakeAsync(Statements sql, long id) =>
        sql.FirstAsync($"UPDATE failures SET replayed_at = now_us(), next_try_at = NULL WHERE id = $1 AND resolved_at IS NULL RETURNING {Columns}", Read, id);

    private static FailureRow Read(Row row) => new(
        row.Long(0), row.Text(1), row.Text(2), row.Text(3), row.Text(4), row.Text(5), row.TextOrNull(6), row.Long(7), row.Long(8), row.Long(9),
        row.LongOrNull(10), row.LongOrNull(11), row.LongOrNull(12));
}

/// <summary>Which failures to list. What is null does not matter.</summary>
public sealed record FailureQuery
{
    /// <summary>Those of one stage.</summary>
    public string? Stage { get; init; }

    /// <summary>Those with a code.</summary>
    public string? Code { get; init; }

    /// <summary>Those of a kind.</summary>
    public string? Kind { get; init; }

    /// <summary>Those about a key.</summary>
    public string? Key { get; init; }

    /// <summary>Those seen since then, microseconds.</summary>
    public long? Since { get; init; }

    /// <summary>Those seen last before then, microseconds.</summary>
    public long? Until { get; init; }

    /// <summary>Those that are over, in place of the open ones.</summary>
    public bool Resolved { get; init; }

    /// <summary>Those with a smaller id.</summary>
    public long Before { get; init; } = long.MaxValue;

    /// <summary>The most rows.</summary>
    public int Limit { get; init; } = 50;
}
