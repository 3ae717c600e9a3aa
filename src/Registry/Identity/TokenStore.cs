using Pipeline.Contracts;
using Pipeline.Registry.Database;
using Pipeline.Registry.Truth;

namespace Pipeline.Registry.Identity;

/// <summary>The API tokens, as hashes (crates-io-behaviour §6.2).</summary>
public sealed class TokenStore(IDatabase database, CallerCache cache)
{
    /// <summary>The most tokens an account can have; revoked and expired ones count until they are forgotten.</summary>
    public const int MaxPerUser = 500;

    private const int MaxName = 200;
    private const int MaxCrateScopes = 100;
    private const string Columns =
        "t.id, t.user_id, u.login, t.name, t.endpoint_scopes, t.crate_scopes, t.created_at, t.expires_at, t.revoked_at, t.last_used_at";

    private const string ListSql = $"SELECT {Columns} FROM tokens t JOIN users u ON u.id = t.user_id WHERE (t.revoked_at IS NULL OR $1 = 1) AND t.forgotten_at IS NULL";

    /// <summary>Makes a token for an account that exists.</summary>
    /// <returns>The token with its plaintext, or why there is none: 400, or 403 when the token that makes it has ended meanwhile.</returns>
    public async ValueTask<(CreatedToken? Created, Reject? Reject)> CreateAsync(long userId, NewToken token, Actor actor, CancellationToken cancellationToken = default)
    {
        if (Check(token) is { } reject) return (null, reject);
        var plaintext = Token.New();
        var (made, refused) = await database.WriteAsync(sql => MakeAsync(sql, userId, token, plaintext, actor), cancellationToken).ConfigureAwait(false);
        return made is null ? (null, refused) : (new CreatedToken(made, plaintext), null);
    }

    /// <summary>The tokens of one account, or of all; newest first.</summary>
    /// <param name="userId">Whose; null: everybody's.</param>
    /// <param name="includeRevoked">Whether revoked ones too.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public ValueTask<List<ApiToken>> ListAsync(long? userId, bool includeRevoked = false, CancellationToken cancellationToken = default) =>
        database.ReadAsync(
            sql => userId is { } user ? sql.QueryAsync($"{ListSql} AND t.user_id = $2 ORDER BY t.id DESC", Read, Flag(includeRevoked), user)
                : sql.QueryAsync($"{ListSql} ORDER BY t.id DESC", Read, Flag(includeRevoked)),
            cancellationToken);

    /// <summary>One token; null: there is none of that id, or not of that account.</summary>
    public ValueTask<ApiToken?> FindAsync(long tokenId, long? userId, CancellationToken cancellationToken = default) =>
        database.ReadAsync(
            sql => sql.FirstAsync(
                $"SELECT {Columns} FROM tokens t JOIN users u ON u.id = t.user_id WHERE t.id = $1 AND (t.user_id = $2 OR $2 < 0)", Read, tokenId, userId ?? -1),
            cancellationToken);

    /// <summary>Revokes a token, and what was made with it: they are refused at once in this process, within a second elsewhere.</summary>
    /// <param name="tokenId">The token.</param>
    /// <param name="userId">Whose it must be; null: anybody's (an administrator asks).</param>
    /// <param name="actor">Who revokes it.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>Whether there was such a token in force.</returns>
    public ValueTask<bool> RevokeAsync(long tokenId, long? userId, Actor actor, CancellationToken cancellationToken = default) =>
        RevokeAsync(tokenId, userId, actor, keepMade: false, cancellationToken);

    /// <summary>The same; with <paramref name="keepMade"/> an operator vouches for the tokens that were made with it, and they stay.</summary>
    public async ValueTask<bool> RevokeAsync(long tokenId, long? userId, Actor actor, bool keepMade, CancellationToken cancellationToken)
    {
        var revoked = await database.WriteAsync(
            async sql =>
            {
                var rows = await sql.ExecuteAsync(
                    "UPDATE tokens SET revoked_at = now_us() WHERE id = $1 AND (user_id = $2 OR $2 < 0) AND revoked_at IS NULL", tokenId, userId ?? -1).ConfigureAwait(false);
                if (rows == 0) return 0;
                await Audit.WriteAsync(sql, "revoke-token", actor, detail: TokenDetail(tokenId)).ConfigureAwait(false);
                if (!keepMade) await TokenLineage.RevokeMadeAsync(sql, tokenId, actor).ConfigureAwait(false);
                return rows;
            },
            cancellationToken).ConfigureAwait(false);
        cache.Clear();
        return revoked > 0;
    }

    private static async ValueTask<(ApiToken? Made, Reject? Reject)> MakeAsync(Statements sql, long userId, NewToken token, Secret plaintext, Actor actor)
    {
        var (expires, reject) = await TokenLineage.LimitAsync(sql, actor.TokenId, token.ExpiresAt is { } wanted ? Microseconds.Of(wanted) : null).ConfigureAwait(false);
        if (reject is not null) return (null, reject);
        var limited = token with { ExpiresAt = expires is { } end ? Microseconds.Time(end) : null };
        var made = await InsertAsync(sql, userId, limited, plaintext, actor).ConfigureAwait(false);
        return (made, made is null ? Invalid($"maximum tokens per user is: {MaxPerUser}") : null);
    }

    internal static async ValueTask<ApiToken?> InsertAsync(Statements sql, long userId, NewToken token, Secret plaintext, Actor actor)
    {
        var id = await sql.LongAsync(
            """
            INSERT INTO tokens (user_id, name, hash, endpoint_scopes, crate_scopes, expires_at, made_by, created_at)
            SELECT $1, $2, $3, $4, $5, $6, $8, now_us() WHERE (SELECT COUNT(*) FROM tokens WHERE user_id = $1 AND forgotten_at IS NULL) < $7
            RETURNING id
            """,
            userId,
            token.Name,
            Token.Hash(plaintext.Reveal()).ToBytes(),
            token.EndpointScopes is { } endpoints ? JsonTexts.Write(endpoints) : null,
            token.CrateScopes is { } crates ? JsonTexts.Write(crates) : null,
            token.ExpiresAt is { } expires ? Microseconds.Of(expires) : null,
            (long)MaxPerUser,
            actor.TokenId).ConfigureAwait(false);
        if (id is null) return null;
        await Audit.WriteAsync(sql, "create-token", actor, detail: TokenDetail(id.Value)).ConfigureAwait(false);
        return await sql.FirstAsync($"SELECT {Columns} FROM tokens t JOIN users u ON u.id = t.user_id WHERE t.id = $1", Read, id).ConfigureAwait(false);
    }

    private static string TokenDetail(long id) => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"token {id}");

    private static Reject? Check(NewToken token)
    {
        if (string.IsNullOrWhiteSpace(token.Name)) return Invalid("name must have a value");
        if (token.Name.Length > MaxName) return Invalid($"a token's name has at most {MaxName} characters");
        if (token.CrateScopes is { } crates && (crates.Count > MaxCrateScopes || crates.Any(static text => !CratePattern.TryParse(text, out _))))
            return Invalid("invalid crate scope");
        return token.EndpointScopes is { } scopes && scopes.Any(static text => !EndpointScopes.TryParse(text, out _)) ? Invalid("invalid endpoint scope") : null;
    }

    private static ApiToken Read(Row row) => new(
        row.Long(0),
        row.Long(1),
        row.Text(2),
        row.Text(3),
        TokenScopes.FromStored(row.TextOrNull(4), row.TextOrNull(5)),
        Microseconds.Time(row.Long(6)),
        Time(row.LongOrNull(7)),
        Time(row.LongOrNull(8)),
        Time(row.LongOrNull(9)));

    private static DateTimeOffset? Time(long? microseconds) => microseconds is { } value ? Microseconds.Time(value) : null;

    private static Reject Invalid(Sentence text) => new(RejectCodes.InvalidRequest, 400, text);

    private static long Flag(bool value) => value ? 1 : 0;
}
