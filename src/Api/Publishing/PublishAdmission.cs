using Microsoft.AspNetCore.Http;
using Pipeline.Contracts;
using Pipeline.Registry.Database;
using Pipeline.Registry.Identity;
using Pipeline.Registry.Options;

namespace Pipeline.Api.Publishing;

/// <summary>A publish as its request asks for it.</summary>
/// <param name="Name">The name as submitted.</param>
/// <param name="Caller">Who asks.</param>
/// <param name="AllowMissing">Whether the request is an administrator's import, whose dependencies may follow later.</param>
/// <param name="ReadOnly">The refusal of a registry that takes no uploads; null: it takes them.</param>
internal sealed record Attempt(CrateName Name, Caller Caller, bool AllowMissing, Reject? ReadOnly);

/// <summary>Whether an upload is taken.</summary>
/// <param name="Reject">Why not; null: it is.</param>
/// <param name="RetryAfter">When to come back, if that helps.</param>
/// <param name="MaxUpload">The largest .crate that the crate takes, in bytes.</param>
internal readonly record struct Admission(Reject? Reject, string? RetryAfter = null, long MaxUpload = 0);

/// <summary>The rules of a publish that need no archive but the database: deleted name, scopes, e-mail, rate limit (crates-io-behaviour §1.4 rows 7 to 13).</summary>
internal sealed class PublishAdmission(RateLimiter rateLimiter, PublishOptions options)
{
    /// <summary>Asks in the caller's transaction, which must commit even when the upload is refused: attempts are counted.</summary>
    public async ValueTask<Admission> AskAsync(Statements sql, Attempt attempt)
    {
        var (name, caller) = (attempt.Name, attempt.Caller);
        var crate = await FindAsync(sql, name.Canonical).ConfigureAwait(false);
        if (Deleted(crate) is { } deleted) return new Admission(deleted);
        var exists = crate is { Exists: true };
        if (caller.Allows(exists ? EndpointScope.PublishUpdate : EndpointScope.PublishNew, name.Text) is { } forbidden) return new Admission(forbidden);
        if (attempt.ReadOnly is { } closed) return new Admission(closed);
        if (options.RequireEmail && caller.Email is null)
        {
            return new Admission(new Reject(
                RejectCodes.InvalidMetadata, StatusCodes.Status400BadRequest,
                "A verified email address is required to publish crates to this registry. Ask its operator to set yours."));
        }

        // An administrator's import would meet the limits that keep publishers in bounds after five crates.
        var isAdmin = caller.AllowsAdmin() is null;
        var action = exists ? LimitedAction.PublishUpdate : LimitedAction.PublishNew;
        if (!isAdmin && await rateLimiter.TakeAsync(sql, caller.UserId, action).ConfigureAwait(false) is { } limited) return new Admission(limited.Reject, limited.RetryAfter);
        if (attempt.AllowMissing && !isAdmin) return new Admission(caller.AllowsAdmin());
        return new Admission(null, null, crate?.MaxUpload ?? options.MaxUploadBytes);
    }

    /// <summary>The one rule that comes before the token's: the name of a crate that was deleted a short while ago.</summary>
    public static async ValueTask<Reject?> DeletedNameAsync(Statements sql, CrateName name) => Deleted(await FindAsync(sql, name.Canonical).ConfigureAwait(false));

    private static Reject? Deleted(NamedCrate? crate) => crate is not { BlockedUntil: { } until } ? null : new Reject(
        RejectCodes.NameNotAvailable, StatusCodes.Status400BadRequest,
        $"A crate with the name `{crate.Name}` was recently deleted. Reuse of this name will be available after {Microseconds.Time(until):yyyy-MM-ddTHH:mm:ssZ}.");

    private static ValueTask<NamedCrate?> FindAsync(Statements sql, CanonicalName canonical) => sql.FirstAsync(
        """
        SELECT name, state = 'active', CASE WHEN state = 'deleted' AND available_at > now_us() THEN available_at END, max_upload_size
        FROM crates WHERE namespace = '' AND source = 'local' AND canonical = $1
        """,
        static row => new NamedCrate(row.Text(0), row.Bool(1), row.LongOrNull(2), row.LongOrNull(3)),
        canonical.Text);

    private sealed record NamedCrate(string Name, bool Exists, long? BlockedUntil, long? MaxUpload);
}
