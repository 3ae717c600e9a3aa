using System.Globalization;
using Pipeline.Contracts;
using Pipeline.Registry.Database;

namespace Pipeline.Registry.Identity;

/// <summary>The refusals of authentication and permission, worded as crates-io-behaviour §6.1 has them.</summary>
public static class IdentityTexts
{
    /// <summary>No token came, and the endpoint needs one.</summary>
    public static readonly Reject Anonymous = new(RejectCodes.Unauthenticated, 403, "this action requires authentication");

    /// <summary>The token is unknown, revoked or expired: which of these is not told.</summary>
    public static readonly Reject Unknown = new(RejectCodes.Unauthenticated, 403, "authentication failed");

    /// <summary>A web page of another site asks.</summary>
    public static readonly Reject ForeignOrigin = new(RejectCodes.Forbidden, 403, "invalid origin header");

    /// <summary>The token's scopes do not fit.</summary>
    public static readonly Reject WrongScope = new(RejectCodes.Forbidden, 403, "this token does not have the required permissions to perform this action");

    /// <summary>The account is not an administrator's.</summary>
    public static readonly Reject NotAdmin = new(RejectCodes.Forbidden, 403, "this action can only be performed by an administrator of the registry");

    /// <summary>The header has bytes outside ASCII.</summary>
    public static readonly Reject NonAscii = new(
        RejectCodes.Unauthenticated, 401, "Invalid `Authorization` header: Found unexpected non-ASCII characters");

    /// <summary>The token cannot be one of ours.</summary>
    public static readonly Reject WrongFormat = new(
        RejectCodes.Unauthenticated, 401, "The given API token does not match the format used by this registry. Ask its administrator for a new token.");

    /// <summary>The header has a scheme other than Bearer.</summary>
    public static Reject WrongScheme(string scheme) =>
        new(RejectCodes.Unauthenticated, 401, $"Invalid `Authorization` header: Found unexpected authentication scheme `{scheme}`");

    /// <summary>Whether an account is locked at a time; null: it is not.</summary>
    /// <param name="reason">Why it was locked; null: never.</param>
    /// <param name="until">Until when, in microseconds; null: without end.</param>
    /// <param name="now">The database's time.</param>
    public static Reject? Locked(string? reason, long? until, long now)
    {
        if (reason is null || until <= now) return null;
        if (until is null) return new Reject(RejectCodes.AccountLocked, 403, $"This account is indefinitely locked. Reason: {reason}");
        var time = Microseconds.Time(until.Value).ToString("yyyy-MM-dd 'at' HH:mm:ss 'UTC'", CultureInfo.InvariantCulture);
        return new Reject(RejectCodes.AccountLocked, 403, $"This account is locked until {time}. Reason: {reason}");
    }
}
