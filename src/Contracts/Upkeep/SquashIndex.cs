namespace Pipeline.Contracts.Upkeep;

/// <summary>Bell for upkeep: the git index's history may be due to be put away. Rung by the schedule, by an operator's wish and by the sweep.</summary>
/// <param name="Slot">When it was due; null when no schedule sent it, and then only what was asked for is done. A slot's work is done once.</param>
public sealed record SquashIndex(DateTimeOffset? Slot = null);
