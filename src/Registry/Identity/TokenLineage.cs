using System.Globalization;
using Pipeline.Contracts;
using Pipeline.Registry.Database;
using Pipeline.Registry.Truth;

namespace Pipeline.Registry.Identity;

/// <summary>
/// Which token made which. A token can be stolen, and what the thief made with it must not outlive it: a token ends no later than the one
/// that made it, and with it. So does what an administrator's token made for other accounts, unless an operator says otherwise.
/// </summary>
internal static class TokenLineage
{
    /// <summary>What the token that makes another lets that one have, in the transaction that makes it.</summary>
    /// <param name="sql">The transaction. It holds the maker's row until it ends, so that a revocation at the same time finds the new token.</param>
    /// <param name="maker">The token that makes it; null: the process itself does.</param>
    /// <param name="expiresAt">When the new token is to end, in microseconds; null: as late as may be.</param>
    /// <returns>When it ends, or why it is not made.</returns>
    public static async ValueTask<(long? ExpiresAt, Reject? Reject)> LimitAsync(Statements sql, long? maker, long? expiresAt)
    {
        if (maker is null) return (expiresAt, null);
        var made = await sql.FirstAsync(
            """
            UPDATE tokens SET revoked_at = revoked_at WHERE id = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now_us())
            RETURNING expires_at, endpoint_scopes, crate_scopes
            """,
            static row => new Maker(row.LongOrNull(0), TokenScopes.FromStored(row.TextOrNull(1), row.TextOrNull(2))),
            maker).ConfigureAwait(false);
        if (made is null) return (null, IdentityTexts.Unknown);
        if (!made.Scopes.Fit(null, null)) return (null, IdentityTexts.WrongScope);
        if (made.ExpiresAt is not { } end || expiresAt <= end) return (expiresAt, null);
        if (expiresAt is null) return (end, null);
        var until = Microseconds.Time(end).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        return (null, new Reject(RejectCodes.InvalidRequest, 400, $"a token cannot make one that outlives it: it expires at {until}"));
    }

    /// <summary>Revokes what a token that was just revoked has made, and what that has made.</summary>
    public static async ValueTask RevokeMadeAsync(Statements sql, long tokenId, Actor actor)
    {
        while (true)
        {
            // Once more as long as it finds any: one that was being made meanwhile shows only in a statement that begins afterwards.
            var revoked = await sql.QueryAsync(
                """
                WITH RECURSIVE made (id) AS (SELECT id FROM tokens WHERE made_by = $1 UNION SELECT t.id FROM tokens t JOIN made m ON t.made_by = m.id)
                UPDATE tokens SET revoked_at = now_us() WHERE revoked_at IS NULL AND id IN (SELECT id FROM made) RETURNING id
                """,
                static row => row.Long(0),
                tokenId).ConfigureAwait(false);
            if (revoked.Count == 0) return;
            foreach (var id in revoked)
                await Audit.WriteAsync(sql, "revoke-token", actor, detail: string.Create(CultureInfo.InvariantCulture, $"token {id}, made with token {tokenId}")).ConfigureAwait(false);
        }
    }

    private sealed record Maker(long? ExpiresAt, TokenScopes Scopes);
}
