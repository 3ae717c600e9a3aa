namespace Pipeline.Registry.Git;

/// <summary>What became of a push.</summary>
public enum PushOutcome
{
    /// <summary>The remote has the commits.</summary>
    Confirmed,

    /// <summary>The remote's branch is not where it was thought to be: nothing was changed there.</summary>
    Moved,

    /// <summary>The remote refuses the commits: a hook, a protected branch, a quota.</summary>
    Refused,

    /// <summary>The remote did not answer, or not to the end: the commits may be there or not.</summary>
    Unknown,
}

/// <summary>Reads the report of <c>git push --porcelain</c> (git-push(1), "OUTPUT").</summary>
public static class PushReport
{
    // What the remote says, or git on its behalf, when somebody else came first.
    private static readonly string[] MovedWords =
    [
        "stale info", "fetch first", "non-fast-forward", "already exists", "failed to update ref", "cannot lock ref", "failed to lock", "unable to lock", "incorrect old value", "reference already exists",
    ];

    /// <summary>The outcome for one branch.</summary>
    /// <param name="report">Git's standard output.</param>
    /// <param name="exitCode">Its exit status.</param>
    /// <param name="branch">The full name of the remote's branch.</param>
    /// <param name="reason">Why it was refused, in the remote's words; empty unless it was.</param>
    public static PushOutcome Read(string report, int exitCode, string branch, out string reason)
    {
        ArgumentNullException.ThrowIfNull(report);
        ArgumentNullException.ThrowIfNull(branch);
        reason = "";
        foreach (var line in report.Split('\n'))
        {
            // A flag, from:to, a summary with the reason in brackets at its end.
            if (line.Split('\t', 3) is not [{ Length: 1 } flag, var refs, var summary] || !refs.EndsWith(":" + branch, StringComparison.Ordinal)) continue;
            if (flag is " " or "*" or "=" or "+") return exitCode == 0 ? PushOutcome.Confirmed : PushOutcome.Unknown;
            if (flag != "!") continue;
            if (summary.StartsWith("[remote failure]", StringComparison.Ordinal)) return PushOutcome.Unknown;
            if (MovedWords.Any(word => summary.Contains(word, StringComparison.OrdinalIgnoreCase))) return PushOutcome.Moved;
            reason = summary;
            return PushOutcome.Refused;
        }

        return PushOutcome.Unknown;
    }
}
