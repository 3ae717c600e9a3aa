using Pipeline.Registry.Cdn;

namespace Pipeline.Workers.Cdn;

/// <summary>A purge on its way.</summary>
/// <param name="Item">What must be forgotten.</param>
/// <param name="Attempts">How often it has failed.</param>
/// <param name="TraceParent">W3C context of what made it due.</param>
public sealed record TakenPurge(PurgeItem Item, long Attempts, string? TraceParent);

/// <summary>The purges taken at once for one target.</summary>
/// <param name="TakenAt">When, which together with the process names the batch.</param>
/// <param name="Purges">The purges, oldest first; empty: nothing is due.</param>
/// <param name="TargetAttempts">How often in a row the target has failed.</param>
public sealed record TakenBatch(long TakenAt, IReadOnlyList<TakenPurge> Purges, long TargetAttempts)
{
    /// <summary>Nothing is due.</summary>
    public static readonly TakenBatch Nothing = new(0, [], 0);
}
