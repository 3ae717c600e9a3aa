using Pipeline.Contracts;
using Pipeline.Registry.Database;

namespace Pipeline.Registry.Identity;

/// <summary>
/// Whether somebody may still publish. A body can be on its way for hours: who was let begin is asked for again when it has ended, in the
/// transaction that keeps the publish.
/// </summary>
public static class StandingRight
{
    /// <summary>Judges the token, its account and its scopes as they stand now; null: they still allow it.</summary>
    /// <param name="sql">The transaction that is to keep the publish.</param>
    /// <param name="caller">Who was let begin.</param>
    /// <param name="name">The crate's name as submitted.</param>
    /// <param name="asAdministrator">Whether the publish was let begin with an administrator's liberties.</param>
    public static async ValueTask<Reject?> ToPublishAsync(Statements sql, Caller caller, CrateName name, bool asAdministrator)
    {
        ArgumentNullException.ThrowIfNull(sql);
        ArgumentNullException.ThrowIfNull(caller);
        var standing = await sql.FirstAsync(
            """
            SELECT t.endpoint_scopes, t.crate_scopes, u.lock_reason, u.locked_until, u.is_admin, now_us(),
                EXISTS (SELECT 1 FROM crates c WHERE c.namespace = '' AND c.source = 'local' AND c.canonical = $2 AND c.state = 'active')
            FROM tokens t JOIN users u ON u.id = t.user_id
            WHERE t.id = $1 AND t.revoked_at IS NULL AND (t.expires_at IS NULL OR t.expires_at > now_us())
            """,
            static row => new Standing(TokenScopes.FromStored(row.TextOrNull(0), row.TextOrNull(1)), IdentityTexts.Locked(row.TextOrNull(2), row.LongOrNull(3), row.Long(5)), row.Bool(4), row.Bool(6)),
            caller.TokenId, name.Canonical.Text).ConfigureAwait(false);
        if (standing is null) return IdentityTexts.Unknown;
        if (standing.Locked is { } locked) return locked;
        if (asAdministrator && !standing.IsAdmin) return IdentityTexts.NotAdmin;
        return ToPublish(standing.Scopes, standing.Exists, name.Text);
    }

    /// <summary>
    /// Whether scopes allow to publish a crate that exists, or one that does not. It is asked once more where both become one, under the
    /// reservation: of two publishes that both found no crate, one makes it, and then the other is of a crate that exists.
    /// </summary>
    /// <param name="scopes">The token's.</param>
    /// <param name="exists">Whether the crate exists.</param>
    /// <param name="name">Its name as submitted.</param>
    public static Reject? ToPublish(TokenScopes scopes, bool exists, string name)
    {
        ArgumentNullException.ThrowIfNull(scopes);
        return scopes.Fit(exists ? EndpointScope.PublishUpdate : EndpointScope.PublishNew, name) ? null : IdentityTexts.WrongScope;
    }

    private sealed record Standing(TokenScopes Scopes, Reject? Locked, bool IsAdmin, bool Exists);
}
