using Pipeline.Contracts;

namespace Pipeline.Registry.Identity;

/// <summary>A token as it is known after its plaintext was shown once.</summary>
/// <param name="Id">Its row.</param>
/// <param name="UserId">Whose it is.</param>
/// <param name="Login">That account's login.</param>
/// <param name="Name">What its owner calls it.</param>
/// <param name="Scopes">What it may be used for.</param>
/// <param name="CreatedAt">When it was made.</param>
/// <param name="ExpiresAt">From when it is refused; null: never.</param>
/// <param name="RevokedAt">When it was revoked; null: it was not.</param>
/// <param name="LastUsedAt">When it was used last, to the minute; null: never.</param>
public sealed record ApiToken(
    long Id,
    long UserId,
    string Login,
    string Name,
    TokenScopes Scopes,
    DateTimeOffset CreatedAt,
    DateTimeOffset? ExpiresAt,
    DateTimeOffset? RevokedAt,
    DateTimeOffset? LastUsedAt);

/// <summary>A token to be made.</summary>
/// <param name="Name">What its owner calls it; must not be empty.</param>
/// <param name="EndpointScopes">The endpoints it is limited to, as spelt; null: none.</param>
/// <param name="CrateScopes">The patterns of crates it is limited to; null or empty: all crates.</param>
/// <param name="ExpiresAt">From when it is refused; null: never. A time that is past is taken: such a token is refused from the start.</param>
public sealed record NewToken(
    string Name, IReadOnlyList<string>? EndpointScopes = null, IReadOnlyList<string>? CrateScopes = null, DateTimeOffset? ExpiresAt = null);

/// <summary>A token just made, with its plaintext: shown once, kept nowhere.</summary>
/// <param name="Token">What is known of it from now on.</param>
/// <param name="Plaintext">What its owner puts into the <c>Authorization</c> header.</param>
public sealed record CreatedToken(ApiToken Token, Secret Plaintext);
