using Pipeline.Contracts;

namespace Pipeline.Workers.Tarballs;

/// <summary>
/// Which of two problems the publisher is told when the archive and a manifest both have one: the earlier in archive order,
/// as if one reader had done both (design, "Error order").
/// </summary>
/// <remarks>
/// The manifest stage parses <see cref="TarballFacts.Manifests"/> in order up to the first that fails and asks <see cref="FirstOf"/>.
/// Rules that compare manifests with each other or with the file list stand behind all of them (crates-io-behaviour §2.4).
/// </remarks>
public static class ErrorOrder
{
    /// <summary>The problem to report, or null when there is none.</summary>
    /// <param name="facts">The archive's facts.</param>
    /// <param name="manifestEntry">The entry of the first manifest that failed; ignored without <paramref name="manifestProblem"/>.</param>
    /// <param name="manifestProblem">What is wrong with that manifest, or null.</param>
    public static Reject? FirstOf(TarballFacts facts, int manifestEntry, Reject? manifestProblem)
    {
        ArgumentNullException.ThrowIfNull(facts);
        if (facts.Problem is null || manifestProblem is null) return facts.Problem ?? manifestProblem;

        // A manifest is parsed after its entry passed the archive's rules, so a tie goes to the archive.
        return manifestEntry < facts.ProblemAt ? manifestProblem : facts.Problem;
    }

    /// <summary>The verdict that no manifest can change any more: the archive's problem, when no manifest stands before it; else null.</summary>
    public static Reject? SettledBy(TarballFacts facts)
    {
        ArgumentNullException.ThrowIfNull(facts);
        return facts.Manifests.Count == 0 ? facts.Problem : null;
    }
}
