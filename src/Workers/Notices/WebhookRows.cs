using Pipeline.Registry.Changes;
using Pipeline.Registry.Database;
using Pipeline.Registry.Truth;

namespace Pipeline.Workers.Notices;

/// <summary>The statements of the worker that tells webhooks. A webhook is taken by one process at a time; what it notes counts only while it has it.</summary>
public sealed class WebhookRows(ThisProcess process)
{
    /// <summary>Sends a notice once more that was given up; <c>$1</c> is the key of its failure, <c>WEBHOOK/CHANGE</c>.</summary>
    public const string ResetNoticeSql = "UPDATE notices SET next_try_at = now_us() WHERE CAST(webhook_id AS TEXT) || '/' || CAST(change_id AS TEXT) = $1";

    /// <summary>Ends the wait of a webhook; <c>$1</c> is the key of its failure, its id.</summary>
    public const string ResetWebhookSql = "UPDATE webhooks SET next_try_at = NULL WHERE CAST(id AS TEXT) = $1 AND next_try_at IS NOT NULL";

    // Longer than one delivery. A process that died is known sooner, by its row.
    private const long TakenFor = 60 * Microseconds.Second;

    private const string Free = "(taken_by IS NULL OR taken_until < now_us() OR NOT EXISTS (SELECT 1 FROM processes a WHERE a.id = webhooks.taken_by))";

    private const string Due =
        """
        ((watermark < $1 AND (next_try_at IS NULL OR next_try_at <= now_us()))
            OR EXISTS (SELECT 1 FROM notices n WHERE n.webhook_id = webhooks.id AND n.next_try_at <= now_us()))
        """;

    /// <summary>The webhooks that have something to be told now, and that nobody tells.</summary>
    public static async ValueTask<List<long>> DueAsync(Statements sql)
    {
        ArgumentNullException.ThrowIfNull(sql);
        if (await sql.LongAsync("SELECT 1 FROM webhooks LIMIT 1").ConfigureAwait(false) is null) return [];
        var settled = await ChangeFeed.SettledAsync(sql).ConfigureAwait(false);
        return await sql.QueryAsync($"SELECT id FROM webhooks WHERE {Free} AND {Due} ORDER BY id", static row => row.Long(0), settled).ConfigureAwait(false);
    }

    /// <summary>Takes a webhook; null: it is gone, or somebody else has it.</summary>
    public ValueTask<Webhook?> TakeAsync(Statements sql, long id)
    {
        ArgumentNullException.ThrowIfNull(sql);
        return sql.FirstAsync(
            $"UPDATE webhooks SET taken_by = $2, taken_until = now_us() + $3 WHERE id = $1 AND (taken_by = $2 OR {Free}) RETURNING {Webhooks.Columns}",
            Webhooks.Read, id, process.Id, TakenFor)!;
    }

    /// <summary>Gives it back.</summary>
    public ValueTask<int> ReleaseAsync(Statements sql, long id)
    {
        ArgumentNullException.ThrowIfNull(sql);
        return sql.ExecuteAsync("UPDATE webhooks SET taken_by = NULL, taken_until = NULL WHERE id = $1 AND taken_by = $2", id, process.Id);
    }

    /// <summary>Whether the notice behind the watermark has to wait after a failure.</summary>
    public static async ValueTask<bool> MustWaitAsync(Statements sql, long id)
    {
        ArgumentNullException.ThrowIfNull(sql);
        return await sql.LongAsync("SELECT 1 FROM webhooks WHERE id = $1 AND next_try_at > now_us()", id).ConfigureAwait(false) is not null;
    }

    /// <summary>A change was told. False: the webhook is no longer this process's.</summary>
    public async ValueTask<bool> ToldAsync(Statements sql, long id, long change)
    {
        ArgumentNullException.ThrowIfNull(sql);
        return await sql.ExecuteAsync(
            """
            UPDATE webhooks SET watermark = $3, attempts = 0, failing = 0, last_error = NULL, next_try_at = NULL, last_delivered_at = now_us(), taken_until = now_us() + $4
            WHERE id = $1 AND taken_by = $2
            """,
            id, process.Id, change, TakenFor).ConfigureAwait(false) == 1;
    }

    /// <summary>Changes up to one are none that the webhook wants. False: the webhook is no longer this process's.</summary>
    public async ValueTask<bool> PassedAsync(Statements sql, long id, long change)
    {
        ArgumentNullException.ThrowIfNull(sql);
        return await sql.ExecuteAsync(
            "UPDATE webhooks SET watermark = $3, taken_until = now_us() + $4 WHERE id = $1 AND taken_by = $2", id, process.Id, change, TakenFor).ConfigureAwait(false) == 1;
    }

    /// <summary>The notice behind the watermark failed and is tried again.</summary>
    public ValueTask<int> FailedAsync(Statements sql, long id, string error, TimeSpan wait)
    {
        ArgumentNullException.ThrowIfNull(sql);
        return sql.ExecuteAsync(
            "UPDATE webhooks SET attempts = attempts + 1, failing = failing + 1, last_error = $3, next_try_at = now_us() + $4 WHERE id = $1 AND taken_by = $2",
            id, process.Id, error, Microseconds.Of(wait));
    }

    /// <summary>The notice behind the watermark failed for the last time: it is set aside, and the next one's turn comes after the wait.</summary>
    public async ValueTask<bool> GaveUpAsync(Statements sql, Webhook hook, long change, string error, TimeSpan wait)
    {
        ArgumentNullException.ThrowIfNull(sql);
        ArgumentNullException.ThrowIfNull(hook);
        var taken = await sql.ExecuteAsync(
            "UPDATE webhooks SET watermark = $3, attempts = 0, failing = failing + 1, last_error = $4, next_try_at = now_us() + $5 WHERE id = $1 AND taken_by = $2",
            hook.Id, process.Id, change, error, Microseconds.Of(wait)).ConfigureAwait(false);
        if (taken == 0) return false;
        await sql.ExecuteAsync(
            """
            INSERT INTO notices (webhook_id, change_id, attempts, last_error, given_up_at) VALUES ($1, $2, $3, $4, now_us())
            ON CONFLICT (webhook_id, change_id) DO NOTHING
            """,
            hook.Id, change, hook.Attempts + 1, error).ConfigureAwait(false);
        return true;
    }

    /// <summary>The notices of a webhook that are to be sent once more, oldest first.</summary>
    public static ValueTask<List<Change>> ReplayedAsync(Statements sql, long id)
    {
        ArgumentNullException.ThrowIfNull(sql);
        return sql.QueryAsync(
            $"SELECT {ChangeFeed.Columns} FROM notices n JOIN changes h ON h.id = n.change_id WHERE n.webhook_id = $1 AND n.next_try_at <= now_us() ORDER BY n.change_id LIMIT 100",
            ChangeFeed.Read, id);
    }

    /// <summary>A notice was delivered after all.</summary>
    public static ValueTask<int> ToldAfterAllAsync(Statements sql, long id, long change)
    {
        ArgumentNullException.ThrowIfNull(sql);
        return sql.ExecuteAsync("DELETE FROM notices WHERE webhook_id = $1 AND change_id = $2", id, change);
    }

    /// <summary>A notice failed once more; it waits for the next replay.</summary>
    public static ValueTask<int> FailedAgainAsync(Statements sql, long id, long change, string error)
    {
        ArgumentNullException.ThrowIfNull(sql);
        return sql.ExecuteAsync(
            "UPDATE notices SET attempts = attempts + 1, last_error = $3, next_try_at = NULL WHERE webhook_id = $1 AND change_id = $2", id, change, error);
    }
}
