namespace Pipeline.Api.Admin.Shapes;

/// <summary>A crate as its operator sees it, deleted ones too. Times are UTC.</summary>
/// <param name="Id">Its row.</param>
/// <param name="Name">Its name as first published.</param>
/// <param name="State"><c>active</c> or <c>deleted</c>.</param>
/// <param name="Revision">How often it changed.</param>
/// <param name="Description">Its description.</param>
/// <param name="DefaultVersion">The version shown when none is named.</param>
/// <param name="Owners">Logins of its owners.</param>
/// <param name="CreatedAt">When it was first published.</param>
/// <param name="UpdatedAt">When it last changed.</param>
/// <param name="DeletedAt">When it was deleted.</param>
/// <param name="AvailableAt">When the name of the deleted crate may be used again.</param>
/// <param name="Versions">Its versions, newest first; at most 1,000.</param>
/// <param name="Projections">How far each projection of it has got.</param>
public sealed record CrateShape(
    long Id,
    string Name,
    string State,
    long Revision,
    string? Description,
    string? DefaultVersion,
    IReadOnlyList<string> Owners,
    DateTime CreatedAt,
    DateTime UpdatedAt,
    DateTime? DeletedAt,
    DateTime? AvailableAt,
    IReadOnlyList<VersionShape> Versions,
    IReadOnlyList<ProjectionShape> Projections);

/// <summary>A version as its operator sees it.</summary>
/// <param name="Num">Its number.</param>
/// <param name="State"><c>active</c> or <c>deleted</c>.</param>
/// <param name="Freed">Deleted, and its number given back.</param>
/// <param name="Yanked">Whether it is yanked.</param>
/// <param name="Checksum">SHA-256 of the .crate, hex.</param>
/// <param name="Size">Bytes of the .crate.</param>
/// <param name="PublishedAt">When it was published.</param>
/// <param name="PublishedBy">The login of who published it.</param>
/// <param name="PublishId">The publish it came with.</param>
public sealed record VersionShape(
    string Num, string State, bool Freed, bool Yanked, string Checksum, long Size, DateTime PublishedAt, string? PublishedBy, string PublishId);

/// <summary>How far one projection of a crate has got.</summary>
/// <param name="Kind"><c>git</c>, <c>sparse</c> …</param>
/// <param name="Target">Which instance of the kind.</param>
/// <param name="Wanted">The revision it is to show.</param>
/// <param name="Reached">The revision it shows.</param>
/// <param name="ReachedAt">When it got there.</param>
/// <param name="BehindSince">Since when it lags; null: it does not.</param>
/// <param name="Attempts">Tries that failed since it lags.</param>
/// <param name="LastError">Why the last one did.</param>
public sealed record ProjectionShape(
    string Kind, string Target, long Wanted, long Reached, DateTime? ReachedAt, DateTime? BehindSince, long Attempts, string? LastError);

/// <summary>The answer with one crate.</summary>
/// <param name="Crate">The crate.</param>
public sealed record CrateAnswer(CrateShape Crate);

/// <summary>The answer to a deletion.</summary>
/// <param name="Crate">The crate's name.</param>
/// <param name="Versions">The versions deleted by it.</param>
/// <param name="AvailableAt">When the name may be used again; null for a version, whose number stays taken.</param>
public sealed record DeletionAnswer(string Crate, IReadOnlyList<string> Versions, DateTime? AvailableAt);

/// <summary>The answer to a yank or unyank by an operator.</summary>
/// <param name="Crate">The crate's name.</param>
/// <param name="Version">The version's number.</param>
/// <param name="Yanked">Its state now.</param>
/// <param name="Changed">Whether it had another before.</param>
public sealed record YankAnswer(string Crate, string Version, bool Yanked, bool Changed);
