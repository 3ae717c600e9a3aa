namespace Pipeline.Contracts.Upkeep;

/// <summary>Command on a schedule: find what waits without a bell, and ring.</summary>
/// <param name="Slot">When it was due; null when no schedule sent it, but a stage that has room again. A slot's work is done once.</param>
public sealed record Sweep(DateTimeOffset? Slot = null);
