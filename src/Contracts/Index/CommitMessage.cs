using System.Globalization;
using System.Text;

namespace Pipeline.Contracts.Index;

/// <summary>The messages of the git index's commits.</summary>
public static class CommitMessage
{
    /// <summary>The most changes that the message of a batch names.</summary>
    public const int MostLines = 1000;

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

    /// <summary>
    /// The message for a batch of changes that stood in a queue: how many, then a line for each, as it would stand alone. Beyond
    /// <see cref="MostLines"/> the rest is counted.
    /// </summary>
    /// <param name="messages">The messages of the changes, in order; more than one.</param>
    public static string ForBatch(IReadOnlyList<string> messages)
    {
        ArgumentNullException.ThrowIfNull(messages);
        var text = new StringBuilder().Append(CultureInfo.InvariantCulture, $"Change {messages.Count} crates\n");
        foreach (var message in messages.Take(MostLines)) text.Append('\n').Append(message);
        if (messages.Count > MostLines) text.Append(CultureInfo.InvariantCulture, $"\nand {messages.Count - MostLines} more");
        return text.ToString();
    }

    /// <summary>The message for what one upstream brought at once.</summary>
    /// <param name="upstream">The upstream's name.</param>
    /// <param name="crates">How many crates' files changed.</param>
    public static string ForSync(string upstream, int crates) => string.Create(CultureInfo.InvariantCulture, $"Sync {crates} crates from `{upstream}`");

    /// <summary>The message of the one commit that a squash leaves (crates-io-behaviour §4.3, without its links).</summary>
    /// <param name="previous">The commit that the history ended with.</param>
    /// <param name="snapshot">The branch that keeps it.</param>
    public static string ForSquash(string previous, string snapshot) => $"Collapse index into one commit\n\nPrevious HEAD was {previous}, now on the `{snapshot}` branch\n";
}
