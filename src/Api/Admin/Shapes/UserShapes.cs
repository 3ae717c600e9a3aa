namespace Pipeline.Api.Admin.Shapes;

/// <summary>An account. Times are UTC.</summary>
/// <param name="Id">Its id; fits u32, as cargo wants.</param>
/// <param name="Login">Its login.</param>
/// <param name="Name">Its display name.</param>
/// <param name="Email">Its verified e-mail address.</param>
/// <param name="IsAdmin">Whether it administers the registry.</param>
/// <param name="LockReason">Why it is locked; null: it is not.</param>
/// <param name="LockedUntil">Until when; null with a reason: without end.</param>
/// <param name="CreatedAt">When it was made.</param>
public sealed record UserShape(
    long Id, string Login, string? Name, string? Email, bool IsAdmin, string? LockReason, DateTime? LockedUntil, DateTime CreatedAt);

/// <summary>The answer with one account.</summary>
/// <param name="User">The account.</param>
public sealed record UserAnswer(UserShape User);

/// <summary>A page of accounts, by id.</summary>
/// <param name="Users">The accounts.</param>
/// <param name="NextCursor">Asks for the next page; null: there is none.</param>
public sealed record UsersAnswer(IReadOnlyList<UserShape> Users, string? NextCursor);

/// <summary>The body that makes an account.</summary>
/// <param name="Login">Its login.</param>
/// <param name="Name">Its display name.</param>
/// <param name="Email">Its e-mail address, taken as verified: the operator vouches for it.</param>
/// <param name="IsAdmin">Whether it administers the registry.</param>
public sealed record UserRequest(string Login, string? Name = null, string? Email = null, bool IsAdmin = false);

/// <summary>The body that sets an account's address.</summary>
/// <param name="Email">Its e-mail address, taken as verified: the operator vouches for it.</param>
public sealed record EmailRequest(string Email);

/// <summary>The body that locks an account.</summary>
/// <param name="Reason">Why: its owner is told.</param>
/// <param name="Until">Until when; null: without end.</param>
public sealed record LockRequest(string Reason, DateTime? Until = null);
