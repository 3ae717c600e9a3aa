using Pipeline.Contracts;

namespace Pipeline.Registry.Identity;

/// <summary>Who asks: an account, by one of its tokens.</summary>
/// <param name="UserId">The account.</param>
/// <param name="TokenId">The token.</param>
/// <param name="Login">The account's login.</param>
/// <param name="Name">The account's display name.</param>
/// <param name="Email">Its verified e-mail address; null: none.</param>
/// <param name="IsAdmin">Whether it administers the registry.</param>
/// <param name="Scopes">What the token may be used for.</param>
public sealed record Caller(long UserId, long TokenId, string Login, string? Name, string? Email, bool IsAdmin, TokenScopes Scopes)
{
    /// <summary>Whether the token may be used here; null: it may (crates-io-behaviour §6.2).</summary>
    /// <param name="endpoint">The endpoint's scope; null: only tokens without endpoint scopes are taken.</param>
    /// <param name="crateName">The crate: as submitted for a publish, as stored elsewhere; null: the endpoint acts on no crate.</param>
    public Reject? Allows(EndpointScope? endpoint, string? crateName) => Scopes.Fit(endpoint, crateName) ? null : IdentityTexts.WrongScope;

    /// <summary>Whether administration is allowed: the account must be an administrator's and the token without scopes. Null: it is.</summary>
    public Reject? AllowsAdmin() => Allows(null, null) ?? (IsAdmin ? null : IdentityTexts.NotAdmin);

    /// <summary>The caller as an audit row names it.</summary>
    public Actor Actor => new(UserId, TokenId);
}

/// <summary>Who did what an audit row tells.</summary>
/// <param name="UserId">The account; null: an operator on the machine itself.</param>
/// <param name="TokenId">The token it came with.</param>
public readonly record struct Actor(long? UserId, long? TokenId)
{
    /// <summary>The process itself, or an operator at its command line.</summary>
    public static readonly Actor System;
}
