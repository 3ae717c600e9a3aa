using Pipeline.Contracts;
using Pipeline.Registry.Database;
using Pipeline.Registry.Options;

namespace Pipeline.Registry.Identity;

/// <summary>
/// Tells who asks, in the order of crates-io-behaviour §6.1: origin, header, token, lock. One query, and none for a token seen
/// within the last second.
/// </summary>
public sealed class Authenticator(IDatabase database, CallerCache cache, TokenUse use, RegistryOptions options, TimeProvider clock)
{
    private readonly HashSet<string> _origins = new(options.AllowedOrigins, StringComparer.Ordinal) { OriginOf(options.PublicUrl) };

    /// <summary>Authenticates a request.</summary>
    /// <param name="authorization">The <c>Authorization</c> header, its bytes as Latin-1; null: not sent.</param>
    /// <param name="origin">The <c>Origin</c> header; null: not sent.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="Failures.TransientException">The database is away.</exception>
    public ValueTask<Authentication> AuthenticateAsync(string? authorization, string? origin, CancellationToken cancellationToken = default)
    {
        if (origin is not null && !_origins.Contains(origin)) return ValueTask.FromResult(Authentication.Refused(IdentityTexts.ForeignOrigin));
        return AuthorizationHeader.TryRead(authorization, out var token, out var reject)
            ? AuthenticateTokenAsync(token, cancellationToken)
            : ValueTask.FromResult(Authentication.Refused(reject));
    }

    /// <summary>Authenticates a token that came some other way, such as the password of a git request.</summary>
    public ValueTask<Authentication> AuthenticateTokenAsync(string token, CancellationToken cancellationToken = default)
    {
        var hash = Token.Hash(token);
        return cache.Find(hash) is { } caller ? ValueTask.FromResult(Authentication.Of(caller)) : LookUpAsync(hash, cancellationToken);
    }

    private static string OriginOf(string url) => new Uri(url).GetLeftPart(UriPartial.Authority);

    private async ValueTask<Authentication> LookUpAsync(Checksum hash, CancellationToken cancellationToken)
    {
        var (readAt, generation) = (clock.GetTimestamp(), cache.Generation);
        var found = await database.ReadAsync(sql => FindAsync(sql, hash.ToBytes()), cancellationToken).ConfigureAwait(false);
        if (found is null) return Authentication.Refused(IdentityTexts.Unknown);
        use.Note(found.Caller.TokenId, found.LastUsedAt, found.Now);
        if (IdentityTexts.Locked(found.LockReason, found.LockedUntil, found.Now) is { } locked) return Authentication.Refused(locked);
        cache.Keep(hash, found.Caller, readAt, generation);
        return Authentication.Of(found.Caller);
    }

    private static ValueTask<Found?> FindAsync(Statements sql, byte[] hash) => sql.FirstAsync(
        """
        SELECT t.id, t.user_id, u.login, u.name, u.email, u.is_admin, t.endpoint_scopes, t.crate_scopes, t.last_used_at, u.lock_reason, u.locked_until, now_us()
        FROM tokens t JOIN users u ON u.id = t.user_id
        WHERE t.hash = $1 AND t.revoked_at IS NULL AND (t.expires_at IS NULL OR t.expires_at > now_us())
        """,
        static row => new Found(
            new Caller(row.Long(1), row.Long(0), row.Text(2), row.TextOrNull(3), row.TextOrNull(4), row.Bool(5), TokenScopes.FromStored(row.TextOrNull(6), row.TextOrNull(7))),
            row.LongOrNull(8),
            row.TextOrNull(9),
            row.LongOrNull(10),
            row.Long(11)),
        hash);

    private sealed record Found(Caller Caller, long? LastUsedAt, string? LockReason, long? LockedUntil, long Now);
}
