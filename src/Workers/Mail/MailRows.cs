using Pipeline.Registry.Database;

namespace Pipeline.Workers.Mail;

/// <summary>A mail that waits.</summary>
/// <param name="Id">Its row.</param>
/// <param name="Subject">One line.</param>
/// <param name="Body">Plain text.</param>
public sealed record WaitingMail(long Id, string Subject, string Body);

/// <summary>The mails to operators, until they are sent and for a while after.</summary>
public static class MailRows
{
    /// <summary>Puts a mail off after it failed.</summary>
    public const string DelaySql = "UPDATE mails SET attempts = attempts + 1, last_error = $2, next_try_at = $3, rung_at = NULL WHERE id = CAST($1 AS BIGINT) AND sent_at IS NULL";

    /// <summary>Makes a mail due again.</summary>
    public const string ResetSql = "UPDATE mails SET attempts = 0, next_try_at = NULL, rung_at = NULL WHERE id = CAST($1 AS BIGINT) AND sent_at IS NULL";

    private const long KeptFor = 30L * 86400 * Microseconds.Second;

    /// <summary>Writes one, to be sent.</summary>
    public static ValueTask<long?> AddAsync(Statements sql, string subject, string body)
    {
        ArgumentNullException.ThrowIfNull(sql);
        return sql.LongAsync("INSERT INTO mails (subject, body, created_at, rung_at) VALUES ($1, $2, now_us(), now_us()) RETURNING id", subject, body);
    }

    /// <summary>One that was not sent; null: it was, or is no more.</summary>
    public static ValueTask<WaitingMail?> FindAsync(Statements sql, long id)
    {
        ArgumentNullException.ThrowIfNull(sql);
        return sql.FirstAsync("SELECT id, subject, body FROM mails WHERE id = $1 AND sent_at IS NULL", static row => new WaitingMail(row.Long(0), row.Text(1), row.Text(2)), id);
    }

    /// <summary>It was taken by the server. What was sent long ago is forgotten.</summary>
    public static async ValueTask<int> SentAsync(Statements sql, long id)
    {
        ArgumentNullException.ThrowIfNull(sql);
        await sql.ExecuteAsync("DELETE FROM mails WHERE sent_at < now_us() - $1", KeptFor).ConfigureAwait(false);
        return await sql.ExecuteAsync("UPDATE mails SET sent_at = now_us(), last_error = NULL WHERE id = $1", id).ConfigureAwait(false);
    }

    /// <summary>Claims mails that are due.</summary>
    /// <param name="sql">The open transaction.</param>
    /// <param name="again">A bell older than so many microseconds may be lost.</param>
    /// <param name="most">How many at most.</param>
    public static ValueTask<List<long>> ClaimAsync(Statements sql, long again, int most)
    {
        ArgumentNullException.ThrowIfNull(sql);
        return sql.QueryAsync(
            $"""
            WITH due AS MATERIALIZED (
                SELECT id FROM mails WHERE sent_at IS NULL AND (next_try_at IS NULL OR next_try_at <= now_us()) AND (rung_at IS NULL OR rung_at < now_us() - $1)
                ORDER BY id LIMIT $2{sql.Dialect.SkipLocked})
            UPDATE mails SET rung_at = now_us() WHERE id IN (SELECT id FROM due)
            RETURNING id
            """,
            static row => row.Long(0), again, (long)most);
    }
}
