using Pipeline.Tests.Generating;

namespace Pipeline.Tests.Chaos.Workload;

/// <summary>What a client is to do, and what must come of it.</summary>
internal enum StepKind
{
    /// <summary>Publish until the verdict is known: it must be accepted.</summary>
    Publish,

    /// <summary>The same, with <c>Prefer: respond-async</c>: the answer is the promise that it is kept.</summary>
    PublishLater,

    /// <summary>The same upload twice at once: both must be told that it is accepted.</summary>
    PublishTwice,

    /// <summary>Two uploads of one version with other bytes at once: one is accepted, the other refused.</summary>
    Race,

    /// <summary>Publish and go away before the answer: it may be there or not, but once at most.</summary>
    GoAway,

    /// <summary>Publish what breaks a rule: it must be refused.</summary>
    Refused,

    /// <summary>Yank until it is acknowledged.</summary>
    Yank,

    /// <summary>Take a yank back until that is acknowledged.</summary>
    Unyank,
}

/// <summary>One step of the workload.</summary>
/// <param name="Kind">What to do.</param>
/// <param name="Crate">The version it is about.</param>
/// <param name="After">The places of the steps that must have ended before.</param>
/// <param name="Other">The other upload of a race.</param>
internal sealed record Step(StepKind Kind, GeneratedCrate Crate, IReadOnlyList<int> After, GeneratedCrate? Other = null)
{
    /// <summary>Whether a stranger sends it, who owns no crate.</summary>
    public bool ByStranger { get; init; }
}
