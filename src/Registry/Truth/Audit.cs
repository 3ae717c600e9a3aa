using Pipeline.Registry.Database;
using Pipeline.Registry.Identity;

namespace Pipeline.Registry.Truth;

/// <summary>Who did what: a row in the transaction that does it.</summary>
public static class Audit
{
    /// <summary>Appends an audit row.</summary>
    /// <param name="sql">The open transaction.</param>
    /// <param name="action">What was done, kebab-case: <c>publish</c>, <c>yank</c>, <c>create-token</c> …</param>
    /// <param name="actor">Who did it.</param>
    /// <param name="crateId">The crate it was done to, or null.</param>
    /// <param name="versionId">The version it was done to, or null.</param>
    /// <param name="detail">What else is to be known, never a secret; or null.</param>
    public static async ValueTask WriteAsync(Statements sql, string action, Actor actor, long? crateId = null, long? versionId = null, string? detail = null) =>
        await sql.ExecuteAsync(
            "INSERT INTO audit (at, action, user_id, token_id, crate_id, version_id, detail) VALUES (now_us(), $1, $2, $3, $4, $5, $6)",
            action, actor.UserId, actor.TokenId, crateId, versionId, detail).ConfigureAwait(false);
}
