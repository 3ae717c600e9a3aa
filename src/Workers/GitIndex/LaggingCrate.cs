using Pipeline.Registry.Truth;

namespace Pipeline.Workers.GitIndex;

/// <summary>A crate whose file in the git index is behind, as the database has it in one moment.</summary>
/// <param name="CrateId">The crate's row.</param>
/// <param name="Name">Its name as stored, for the commit's message.</param>
/// <param name="Revision">The revision that <paramref name="Content"/> shows: read by the same statement as the lines.</param>
/// <param name="LastChange">The newest change it shows. What is behind a higher revision has a higher id.</param>
/// <param name="Attempts">How often it was set aside since it last was up to date.</param>
/// <param name="Path">Where the file lies; null for a crate that this index does not show (of a namespace).</param>
/// <param name="Content">The whole file; null when there is to be none: the crate, or its last version, is deleted.</param>
/// <param name="FormerPaths">Where files of the crate may still lie under another spelling of its name.</param>
/// <param name="Causes">What stands behind the changes that the index lacked, oldest first.</param>
public sealed record LaggingCrate(
    long CrateId,
    string Name,
    long Revision,
    long LastChange,
    long Attempts,
    string? Path,
    byte[]? Content,
    IReadOnlyList<string> FormerPaths,
    IReadOnlyList<Cause> Causes)
{
    /// <summary>The upstream that its file comes from; null: it is local. What one upstream brings in a batch is one commit.</summary>
    public string? Upstream { get; init; }
}
