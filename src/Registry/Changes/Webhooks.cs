using Pipeline.Contracts;
using Pipeline.Registry.Database;
using Pipeline.Registry.Identity;
using Pipeline.Registry.Truth;

namespace Pipeline.Registry.Changes;

/// <summary>Webhooks as operators see and change them.</summary>
public static class Webhooks
{
    /// <summary>The columns of a <see cref="Webhook"/>, from <c>webhooks</c>; <see cref="Read"/> reads them.</summary>
    public const string Columns = "id, url, secret, kinds, crates, watermark, attempts, failing";

    private const string StateSql =
        """
        SELECT w.id, w.url, w.kinds, w.crates, w.created_at, w.watermark, w.attempts, w.failing, w.last_error, w.last_delivered_at, w.next_try_at,
            (SELECT COUNT(*) FROM changes h WHERE h.id > w.watermark), (SELECT COUNT(*) FROM notices n WHERE n.webhook_id = w.id)
        FROM webhooks w WHERE (w.id = $1 OR $1 < 0) ORDER BY w.id
        """;

    /// <summary>A webhook from <see cref="Columns"/>.</summary>
    public static Webhook Read(Row row) => new(
        row.Long(0), row.Text(1), new Secret(row.Text(2)), JsonTexts.Read(row.Text(3)), [.. JsonTexts.Read(row.Text(4)).Select(CratePattern.FromStored)], row.Long(5), row.Long(6), row.Long(7));

    /// <summary>Adds one, which is told of what comes behind a change. It was checked before (<see cref="WebhookRules.Check"/>).</summary>
    /// <returns>Its id; null: there are as many as there may be.</returns>
    public static async ValueTask<long?> AddAsync(Statements sql, string url, Secret secret, IReadOnlyList<string> kinds, IReadOnlyList<string> crates, long watermark, Actor actor)
    {
        ArgumentNullException.ThrowIfNull(sql);
        ArgumentNullException.ThrowIfNull(secret);
        var id = await sql.LongAsync(
            """
            INSERT INTO webhooks (url, secret, kinds, crates, created_at, watermark)
            SELECT CAST($1 AS TEXT), CAST($2 AS TEXT), CAST($3 AS TEXT), CAST($4 AS TEXT), now_us(), CAST($5 AS BIGINT) WHERE (SELECT COUNT(*) FROM webhooks) < $6
            RETURNING id
            """,
            url, secret.Reveal(), JsonTexts.Write(kinds), JsonTexts.Write(crates), watermark, (long)WebhookRules.MostWebhooks).ConfigureAwait(false);
        if (id is not null) await Audit.WriteAsync(sql, "create-webhook", actor, detail: $"{id}: {url}").ConfigureAwait(false);
        return id;
    }

    /// <summary>Removes one with the notices it was not given. A delivery under way may still end.</summary>
    /// <returns>Whether there was one.</returns>
    public static async ValueTask<bool> RemoveAsync(Statements sql, long id, Actor actor)
    {
        ArgumentNullException.ThrowIfNull(sql);
        await sql.ExecuteAsync("DELETE FROM notices WHERE webhook_id = $1", id).ConfigureAwait(false);
        if (await sql.TextAsync("DELETE FROM webhooks WHERE id = $1 RETURNING url", id).ConfigureAwait(false) is not { } url) return false;
        var key = id.ToString(System.Globalization.CultureInfo.InvariantCulture);
        await sql.ExecuteAsync(
            "UPDATE failures SET resolved_at = now_us() WHERE stage = 'send-notices' AND (key = $1 OR key LIKE $2) AND resolved_at IS NULL", key, key + "/%").ConfigureAwait(false);
        await Audit.WriteAsync(sql, "remove-webhook", actor, detail: $"{id}: {url}").ConfigureAwait(false);
        return true;
    }

    /// <summary>All of them, oldest first.</summary>
    public static ValueTask<List<WebhookState>> ListAsync(Statements sql)
    {
        ArgumentNullException.ThrowIfNull(sql);
        return sql.QueryAsync(StateSql, State, -1L);
    }

    /// <summary>One; null: there is none.</summary>
    public static ValueTask<WebhookState?> FindAsync(Statements sql, long id)
    {
        ArgumentNullException.ThrowIfNull(sql);
        return sql.FirstAsync(StateSql, State, id)!;
    }

    private static WebhookState State(Row row) => new(
        row.Long(0), row.Text(1), JsonTexts.Read(row.Text(2)), JsonTexts.Read(row.Text(3)), row.Long(4), row.Long(5), row.Long(6), row.Long(7), row.TextOrNull(8),
        row.LongOrNull(9), row.LongOrNull(10), row.Long(11), row.Long(12));
}

/// <summary>A webhook as operators see it: without its secret. Times are UTC microseconds.</summary>
/// <param name="Id">Its row.</param>
/// <param name="Url">Where notices are sent.</param>
/// <param name="Kinds">Which kinds of changes; empty: every kind.</param>
/// <param name="Crates">Which crates; empty: every crate.</param>
/// <param name="CreatedAt">When it was added.</param>
/// <param name="Watermark">The last change that was told, passed over or given up.</param>
/// <param name="Attempts">How often the next notice has failed.</param>
/// <param name="Failing">How many deliveries have failed since the last that succeeded.</param>
/// <param name="LastError">How the last of them failed.</param>
/// <param name="LastDeliveredAt">When a delivery last succeeded.</param>
/// <param name="NextTryAt">When the next notice is tried again.</param>
/// <param name="Behind">How many changes there are behind the watermark, whether it wants them or not.</param>
/// <param name="GivenUp">How many notices were given up and not replayed.</param>
public sealed record WebhookState(
    long Id, string Url, IReadOnlyList<string> Kinds, IReadOnlyList<string> Crates, long CreatedAt, long Watermark, long Attempts, long Failing, string? LastError,
    long? LastDeliveredAt, long? NextTryAt, long Behind, long GivenUp);
