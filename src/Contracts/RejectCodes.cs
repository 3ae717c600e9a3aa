namespace Pipeline.Contracts;

/// <summary>Every code a <see cref="Reject"/> can carry. A code is never renamed: operators filter and alert on it.</summary>
public static class RejectCodes
{
    /// <summary>The archive breaks a rule of layout, type, size or compression.</summary>
    public const string InvalidArchive = "invalid-archive";

    /// <summary>The manifest does not parse, or breaks a rule of its form.</summary>
    public const string InvalidManifest = "invalid-manifest";

    /// <summary>The publish JSON and the manifest disagree.</summary>
    public const string MetadataMismatch = "metadata-mismatch";

    /// <summary>A required field is missing, or a field has a value that is not allowed.</summary>
    public const string InvalidMetadata = "invalid-metadata";

    /// <summary>A crate, dependency or feature name breaks the naming rules.</summary>
    public const string InvalidName = "invalid-name";

    /// <summary>A version, or a version requirement, does not parse.</summary>
    public const string InvalidVersion = "invalid-version";

    /// <summary>A dependency is of a form or origin that is not allowed.</summary>
    public const string InvalidDependency = "invalid-dependency";

    /// <summary>A feature name or value is not allowed, or there are too many.</summary>
    public const string InvalidFeature = "invalid-feature";

    /// <summary>The licence is not an SPDX expression.</summary>
    public const string InvalidLicense = "invalid-license";

    /// <summary>A limit of count or size is exceeded.</summary>
    public const string LimitExceeded = "limit-exceeded";

    /// <summary>The name is reserved, was deleted a short time ago, or collides with a different spelling.</summary>
    public const string NameNotAvailable = "name-not-available";

    /// <summary>The publisher does not own the crate.</summary>
    public const string NotOwner = "not-owner";

    /// <summary>The version exists, with other bytes.</summary>
    public const string VersionExists = "version-exists";

    /// <summary>A dependency names a crate that is not known here.</summary>
    public const string UnknownDependency = "unknown-dependency";

    /// <summary>A category slug is not known.</summary>
    public const string UnknownCategory = "unknown-category";

    /// <summary>The publish was not decided within its deadline.</summary>
    public const string Expired = "expired";

    /// <summary>The registry was restored and takes no writes yet.</summary>
    public const string ReadOnly = "read-only";

    /// <summary>No token, a token that is not known, or a header that holds none.</summary>
    public const string Unauthenticated = "unauthenticated";

    /// <summary>The token or the account may not do this.</summary>
    public const string Forbidden = "forbidden";

    /// <summary>The account is locked.</summary>
    public const string AccountLocked = "account-locked";

    /// <summary>Too many attempts in a short time.</summary>
    public const string RateLimited = "rate-limited";

    /// <summary>What was asked for does not exist.</summary>
    public const string NotFound = "not-found";

    /// <summary>The request itself is not of the form the endpoint takes.</summary>
    public const string InvalidRequest = "invalid-request";

    /// <summary>The state of things forbids it: a deletion of a crate that others depend on.</summary>
    public const string Conflict = "conflict";

    /// <summary>A cursor of the change feed is of another epoch: the database was restored from a backup since.</summary>
    public const string OtherEpoch = "other-epoch";
}
