using System.Globalization;

namespace Pipeline.Contracts;

/// <summary>The refusals that only the database can decide on, in crates.io's words (crates-io-behaviour §1.4 rows 8 and 36 to 42).</summary>
public static class RegistryRejects
{
    /// <summary>Row 8: the name was deleted a short time ago.</summary>
    /// <param name="storedName">The deleted crate's own spelling.</param>
    /// <param name="availableAt">When the name may be used again.</param>
    public static Reject RecentlyDeleted(string storedName, DateTimeOffset availableAt)
    {
        var at = availableAt.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        return new(
            RejectCodes.NameNotAvailable,
            400,
            $"A crate with the name `{storedName}` was recently deleted. Reuse of this name will be available after {at}.");
    }

    /// <summary>Row 36: the name is reserved.</summary>
    public static Reject ReservedName() => new(RejectCodes.NameNotAvailable, 400, "cannot upload a crate with a reserved name");

    /// <summary>The name is that of a crate of an upstream that this registry follows.</summary>
    /// <param name="name">The name as published.</param>
    /// <param name="upstream">The upstream that has it.</param>
    public static Reject UpstreamName(string name, string upstream) => new(
        RejectCodes.NameNotAvailable,
        400,
        $"`{name}` is the name of a crate of `{upstream}`, which this registry mirrors; an operator can reserve the name for local crates");

    /// <summary>Row 37: the publisher has no right to publish this crate.</summary>
    public static Reject NotOwner() => new(
        RejectCodes.NotOwner,
        403,
        "this crate exists but you don't seem to be an owner. " +
        "If you believe this is a mistake, perhaps you need to accept an invitation to be an owner before publishing.");

    /// <summary>Row 38: the crate exists in another spelling.</summary>
    /// <param name="storedName">The spelling that it has.</param>
    public static Reject PreviouslyNamed(string storedName) =>
        new(RejectCodes.NameNotAvailable, 400, $"crate was previously named `{storedName}`");

    /// <summary>Row 39: the crate has reached its versions per day.</summary>
    public static Reject TooManyVersionsToday() =>
        new(RejectCodes.LimitExceeded, 429, "You have published too many versions of this crate in the last 24 hours");

    /// <summary>Row 40: the number is taken.</summary>
    /// <param name="numberWithoutBuild">The version without build metadata, which does not count.</param>
    public static Reject AlreadyUploaded(string numberWithoutBuild) =>
        new(RejectCodes.VersionExists, 400, $"crate version `{numberWithoutBuild}` is already uploaded");

    /// <summary>Row 41: a dependency names a crate that is not known here.</summary>
    /// <param name="name">The dependency's name.</param>
    public static Reject UnknownCrate(string name) => new(RejectCodes.UnknownDependency, 400, $"no known crate named `{name}`");

    /// <summary>Row 42: some categories do not exist.</summary>
    /// <param name="slugs">Those that do not, in manifest order.</param>
    public static Reject UnknownCategories(IEnumerable<string> slugs) => new(
        RejectCodes.UnknownCategory,
        400,
        $"The following category slugs are not currently supported on this registry: {Quoted.Values(slugs):whole}");
}
