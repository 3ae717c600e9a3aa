using System.Globalization;
using Pipeline.Contracts;
using Pipeline.Registry.Database;
using Pipeline.Registry.Options;

namespace Pipeline.Registry.Identity;

/// <summary>What is limited.</summary>
public enum LimitedAction
{
    /// <summary>Publishing a crate that does not exist yet; <c>publish-new</c>.</summary>
    PublishNew,

    /// <summary>Publishing a version of a crate that exists; <c>publish-update</c>.</summary>
    PublishUpdate,

    /// <summary>Yank, unyank and changes of a version; <c>yank-unyank</c>.</summary>
    Yank,
}

/// <summary>An attempt that came too soon.</summary>
/// <param name="Reject">The refusal, 429.</param>
/// <param name="RetryAfter">The value of the <c>Retry-After</c> header: an HTTP date.</param>
public sealed record RateLimited(Reject Reject, string RetryAfter);

/// <summary>Limits attempts per account with token buckets on the database's clock (crates-io-behaviour §1.7).</summary>
public sealed class RateLimiter(IDatabase database, RateLimitOptions options)
{
    private static readonly string[] Actions = ["publish-new", "publish-update", "yank-unyank"];

    private static readonly string[] Messages =
    [
        "You have published too many new crates in a short period of time",
        "You have published too many updates to existing crates in a short period of time",
        "You have yanked or unyanked too many versions in a short period of time",
    ];

    /// <summary>Whether limits are on at all.</summary>
    public bool IsEnabled => options.Enabled;

    /// <summary>Counts an attempt in a transaction of its own. Null: go on. An attempt counts whatever becomes of it.</summary>
    public ValueTask<RateLimited?> TakeAsync(long userId, LimitedAction action, CancellationToken cancellationToken = default) =>
        options.Enabled ? database.WriteAsync(sql => TakeAsync(sql, userId, action), cancellationToken) : default;

    /// <summary>Counts an attempt in the caller's transaction, which must commit even if the attempt is refused later.</summary>
    public async ValueTask<RateLimited?> TakeAsync(Statements sql, long userId, LimitedAction action)
    {
        if (!options.Enabled) return null;
        var limit = Limit(action);
        var interval = Math.Max(1, (long)(limit.RefillSeconds * Microseconds.Second));
        // The upsert that changes nothing takes the row's lock, so that two attempts at once are counted one after the other.
        var (before, burst, now) = await sql.FirstAsync(
            """
            INSERT INTO rate_buckets (user_id, action, tokens, last_refill) VALUES ($1, $2, 0, 0)
            ON CONFLICT (user_id, action) DO UPDATE SET tokens = rate_buckets.tokens
            RETURNING tokens, last_refill, now_us(),
                (SELECT burst FROM rate_overrides o WHERE o.user_id = $1 AND o.action = $2 AND (o.expires_at IS NULL OR o.expires_at > now_us()))
            """,
            static row => (new TokenBucket(row.Long(0), row.Long(1)), row.LongOrNull(3), row.Long(2)),
            userId, Actions[(int)action]).ConfigureAwait(false);
        var after = before.Take(interval, burst ?? limit.Burst, now);
        await sql.ExecuteAsync(
            "UPDATE rate_buckets SET tokens = $3, last_refill = $4 WHERE user_id = $1 AND action = $2",
            userId, Actions[(int)action], after.Tokens, after.LastRefill).ConfigureAwait(false);
        return after.IsAllowed ? null : Refuse(action, Microseconds.Time(after.LastRefill + interval));
    }

    /// <summary>Grants an account another burst, or takes the grant back.</summary>
    /// <param name="userId">The account.</param>
    /// <param name="action">For what.</param>
    /// <param name="burst">Attempts allowed at once; null: the configured number again.</param>
    /// <param name="expiresAt">Until when; null: for good.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async ValueTask OverrideAsync(
        long userId, LimitedAction action, long? burst, DateTimeOffset? expiresAt = null, CancellationToken cancellationToken = default)
    {
        const string Delete = "DELETE FROM rate_overrides WHERE user_id = $1 AND action = $2";
        const string Upsert =
            """
            INSERT INTO rate_overrides (user_id, action, burst, expires_at) VALUES ($1, $2, $3, $4)
            ON CONFLICT (user_id, action) DO UPDATE SET burst = excluded.burst, expires_at = excluded.expires_at
            """;
        await database.WriteAsync(
            sql => burst is null
                ? sql.ExecuteAsync(Delete, userId, Actions[(int)action])
                : sql.ExecuteAsync(Upsert, userId, Actions[(int)action], burst, expiresAt is { } time ? Microseconds.Of(time) : null),
            cancellationToken).ConfigureAwait(false);
    }

    private static RateLimited Refuse(LimitedAction action, DateTimeOffset retryAt)
    {
        var time = retryAt.ToString("R", CultureInfo.InvariantCulture);
        return new RateLimited(new Reject(RejectCodes.RateLimited, 429, $"{Messages[(int)action]}. Please try again after {time}."), time);
    }

    private RateLimit Limit(LimitedAction action) => action switch
    {
        LimitedAction.PublishNew => options.PublishNew,
        LimitedAction.PublishUpdate => options.PublishUpdate,
        _ => options.Yank,
    };
}
