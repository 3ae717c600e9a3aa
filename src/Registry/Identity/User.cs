namespace Pipeline.Registry.Identity;

/// <summary>An account.</summary>
/// <param name="Id">Its row; fits u32, as cargo reads it so.</param>
/// <param name="Login">Its login, as spelt when it was made; logins compare without letter case.</param>
/// <param name="Name">Its display name.</param>
/// <param name="Email">Its verified e-mail address; null: none.</param>
/// <param name="IsAdmin">Whether it administers the registry.</param>
/// <param name="LockReason">Set: the account is locked, for this reason.</param>
/// <param name="LockedUntil">Until when; null with a reason: without end.</param>
/// <param name="CreatedAt">When it was made.</param>
public sealed record User(
    long Id, string Login, string? Name, string? Email, bool IsAdmin, string? LockReason, DateTimeOffset? LockedUntil, DateTimeOffset CreatedAt);

/// <summary>An account to be made.</summary>
/// <param name="Login">1 to 64 of ASCII letters, digits, <c>-</c>, <c>_</c>, <c>.</c>; a letter or digit first.</param>
/// <param name="Name">Its display name, if any.</param>
/// <param name="Email">Its e-mail address, which the operator vouches for; null: it cannot publish while <c>Publish:RequireEmail</c> is on.</param>
/// <param name="IsAdmin">Whether it administers the registry.</param>
public sealed record NewUser(string Login, string? Name = null, string? Email = null, bool IsAdmin = false);
