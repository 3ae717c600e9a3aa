using System.Globalization;

namespace Pipeline.Contracts.Index;

/// <summary>The messages of the git index's commits.</summary>
public static class CommitMessage
{
    /// <summary>
    /// The message for a change of one crate's file, without a line's end: <c>Create crate `x`</c> and so on, as followers of crates.io's
    /// index know it (crates-io-behaviour §4.2).
    /// </summary>
    /// <param name="crateName">The name as stored, case kept.</param>
    /// <param name="change">What happened to the file.</param>
    public static string For(string crateName, IndexChange change) => change switch
    {
        IndexChange.Created => $"Create crate `{crateName}`",
        IndexChange.Updated => $"Update crate `{crateName}`",
        IndexChange.Deleted => $"Delete crate `{crateName}`",
        _ => throw new ArgumentOutOfRangeException(nameof(change), change, "no such change"),
    };

    /// <summary>The message for what one upstream brought at once.</summary>
    /// <param name="upstream">The upstream's name.</param>
    /// <param name="crates">How many crates' files changed.</param>
    public static string ForSync(string upstream, int crates) => string.Create(CultureInfo.InvariantCulture, $"Sync {crates} crates from `{upstream}`");

    /// <summary>The message of the one commit that a squash leaves (crates-io-behaviour §4.3, without its links).</summary>
    /// <param name="previous">The commit that the history ended with.</param>
    /// <param name="snapshot">The branch that keeps it.</param>
    public static string ForSquash(string previous, string snapshot) => $"Collapse index into one commit\n\nPrevious HEAD was {previous}, now on the `{snapshot}` branch\n";
}
