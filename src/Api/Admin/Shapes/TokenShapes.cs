namespace Pipeline.Api.Admin.Shapes;

/// <summary>A token, without its plaintext, which is kept nowhere. Times are UTC.</summary>
/// <param name="Id">Its id.</param>
/// <param name="User">The login of its account.</param>
/// <param name="Name">What it is called.</param>
/// <param name="EndpointScopes">The endpoints it is limited to; null: none.</param>
/// <param name="CrateScopes">The crate patterns it is limited to; null: none.</param>
/// <param name="CreatedAt">When it was made.</param>
/// <param name="ExpiresAt">When it stops working; null: never.</param>
/// <param name="RevokedAt">When it was revoked; null: it was not.</param>
/// <param name="LastUsedAt">When it was last used, to the minute.</param>
public sealed record TokenShape(
    long Id,
    string User,
    string Name,
    IReadOnlyList<string>? EndpointScopes,
    IReadOnlyList<string>? CrateScopes,
    DateTime CreatedAt,
    DateTime? ExpiresAt,
    DateTime? RevokedAt,
    DateTime? LastUsedAt);

/// <summary>The answer to making a token, the only one that ever shows its plaintext.</summary>
/// <param name="Token">The token.</param>
/// <param name="Plaintext">What the user sends.</param>
public sealed record CreatedTokenAnswer(TokenShape Token, string Plaintext);

/// <summary>The answer with one token.</summary>
/// <param name="Token">The token.</param>
public sealed record TokenAnswer(TokenShape Token);

/// <summary>A page of tokens, newest first.</summary>
/// <param name="Tokens">The tokens.</param>
/// <param name="NextCursor">Asks for the next page; null: there is none.</param>
public sealed record TokensAnswer(IReadOnlyList<TokenShape> Tokens, string? NextCursor);

/// <summary>The body that makes a token.</summary>
/// <param name="User">The login of its account.</param>
/// <param name="Name">What it is called.</param>
/// <param name="EndpointScopes">The endpoints it is limited to; null: none.</param>
/// <param name="CrateScopes">The crate patterns it is limited to; null: none.</param>
/// <param name="ExpiresAt">When it stops working; null: never.</param>
public sealed record TokenRequest(
    string User,
    string? Name = null,
    IReadOnlyList<string>? EndpointScopes = null,
    IReadOnlyList<string>? CrateScopes = null,
    DateTime? ExpiresAt = null);
