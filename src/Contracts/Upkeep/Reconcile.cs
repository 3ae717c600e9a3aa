namespace Pipeline.Contracts.Upkeep;

/// <summary>Command on a schedule, or bell for a run that stands open: compare the projections and the object store with the truth.</summary>
/// <param name="Slot">When it was due; null when no schedule sent it. A slot's work is done once.</param>
/// <param name="RunId">The row in <c>reconcile_runs</c> to go on with; null: a new one, or the one that stands open.</param>
public sealed record Reconcile(DateTimeOffset? Slot = null, long? RunId = null);
