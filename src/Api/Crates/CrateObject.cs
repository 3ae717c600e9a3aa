namespace Pipeline.Api.Crates;

/// <summary>A crate as the API shows it, from one query (<see cref="CrateViews"/>). Times are UTC microseconds.</summary>
/// <param name="Id">Its row; on the wire a crate's id is its name.</param>
/// <param name="Name">Its name as stored.</param>
/// <param name="CreatedAt">When its first version was published.</param>
/// <param name="UpdatedAt">When anything of it changed last.</param>
/// <param name="Keywords">JSON list.</param>
/// <param name="Categories">JSON list.</param>
/// <param name="Description">Of its newest version, as are the next three.</param>
/// <param name="Homepage">Its home page.</param>
/// <param name="Documentation">Its documentation's URL.</param>
/// <param name="Repository">Its repository's URL.</param>
/// <param name="NumVersions">How many versions it has.</param>
/// <param name="DefaultVersion">The version shown when none is named.</param>
/// <param name="DefaultRank">That version's rank.</param>
/// <param name="MaxVersion">The highest version that is not yanked.</param>
/// <param name="NewestVersion">The last published version that is not yanked.</param>
public sealed record CrateObject(
    long Id,
    string Name,
    long CreatedAt,
    long UpdatedAt,
    string Keywords,
    string Categories,
    string? Description,
    string? Homepage,
    string? Documentation,
    string? Repository,
    long NumVersions,
    string? DefaultVersion,
    byte[]? DefaultRank,
    string? MaxVersion,
    string? NewestVersion)
{
    /// <summary>Where its versions come from.</summary>
    public string Source { get; init; } = "local";

    /// <summary>Whether it is a mirrored one.</summary>
    public bool IsMirrored => Source != "local";
}
