using Pipeline.Registry.Options;

namespace Pipeline.Workers.Upstream;

/// <summary>How an upstream stands, for the question whether somebody must be told.</summary>
/// <param name="AgeSeconds">How long ago the last good sync ended; before the first, since it was added.</param>
/// <param name="EverySeconds">Its interval.</param>
/// <param name="Attempts">Syncs that failed since the last good one.</param>
/// <param name="IsParked">Whether the last of them ended in a fault, so that no other comes by itself.</param>
/// <param name="IsRemoved">Whether it is followed no longer.</param>
/// <param name="IsOpen">Whether an incident is open.</param>
/// <param name="GoodSince">Whether a sync ended well since that was opened.</param>
public readonly record struct UpstreamHealth(double AgeSeconds, double EverySeconds, long Attempts, bool IsParked, bool IsRemoved, bool IsOpen, bool GoodSince);

/// <summary>What is to be done about an upstream's incident.</summary>
public enum IncidentStep
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>One begins: its syncs fail.</summary>
    Failing,

    /// <summary>One begins: its last good sync was too long ago, though none is known to have failed.</summary>
    Stale,

    /// <summary>It is over, and that is told.</summary>
    Recovered,

    /// <summary>It is over since nobody follows the upstream any more.</summary>
    Dropped,
}

/// <summary>Decides when an incident of an upstream begins and ends: values in, decision out.</summary>
public static class IncidentRules
{
    // An interval, the next that is late, and one to spare.
    private const int StaleIntervals = 3;

    /// <summary>Decides.</summary>
    /// <param name="health">How it stands.</param>
    /// <param name="options">From when on it is too bad.</param>
    public static IncidentStep Decide(UpstreamHealth health, UpstreamOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (health.IsOpen) return health.IsRemoved ? IncidentStep.Dropped : health is { GoodSince: true, Attempts: 0 } ? IncidentStep.Recovered : IncidentStep.None;
        if (health.IsRemoved) return IncidentStep.None;
        if (health.IsParked || health.Attempts >= options.NoticeAfterFailures) return IncidentStep.Failing;
        return health.AgeSeconds > Math.Max(options.StaleSeconds, StaleIntervals * health.EverySeconds) ? IncidentStep.Stale : IncidentStep.None;
    }
}
