namespace Pipeline.Api.Crates;

/// <summary>A version as the API shows it (<see cref="VersionViews"/>). Times are UTC microseconds; lists and objects are stored JSON.</summary>
public sealed record VersionObject
{
    /// <summary>Its row.</summary>
    public required long Id { get; init; }

    /// <summary>Its crate's name.</summary>
    public required string Crate { get; init; }

    /// <summary>Its number, build metadata included.</summary>
    public required string Num { get; init; }

    /// <summary>When it was published.</summary>
    public required long CreatedAt { get; init; }

    /// <summary>When it was yanked or unyanked last, else when it was published.</summary>
    public required long UpdatedAt { get; init; }

    /// <summary>All its features, unsplit: a JSON object.</summary>
    public required string Features { get; init; }

    /// <summary>Whether it is yanked.</summary>
    public required bool Yanked { get; init; }

    /// <summary>Why it is yanked, if that was said.</summary>
    public string? YankMessage { get; init; }

    /// <summary>The native library it links.</summary>
    public string? Links { get; init; }

    /// <summary>Its licence.</summary>
    public string? License { get; init; }

    /// <summary>Bytes of its .crate.</summary>
    public required long Size { get; init; }

    /// <summary>SHA-256 of its .crate in lower-case hex.</summary>
    public required string Checksum { get; init; }

    /// <summary>The least Rust version it names.</summary>
    public string? RustVersion { get; init; }

    /// <summary>Whether it has a library.</summary>
    public required bool HasLib { get; init; }

    /// <summary>Its binaries: a JSON list.</summary>
    public required string BinNames { get; init; }

    /// <summary>Its Rust edition.</summary>
    public string? Edition { get; init; }

    /// <summary>Its description.</summary>
    public string? Description { get; init; }

    /// <summary>Its home page.</summary>
    public string? Homepage { get; init; }

    /// <summary>Its documentation's URL.</summary>
    public string? Documentation { get; init; }

    /// <summary>Its repository's URL.</summary>
    public string? Repository { get; init; }

    /// <summary>Who published it: id, login, display name; null: not known.</summary>
    public (long Id, string Login, string? Name)? PublishedBy { get; init; }
}

/// <summary>What was done to a version, and by whom.</summary>
/// <param name="VersionId">The version.</param>
/// <param name="Action"><c>publish</c>, <c>yank</c> or <c>unyank</c>.</param>
/// <param name="At">When, in UTC microseconds.</param>
/// <param name="UserId">Who.</param>
/// <param name="Login">That account's login.</param>
/// <param name="Name">Its display name.</param>
public sealed record VersionAction(long VersionId, string Action, long At, long UserId, string Login, string? Name);
