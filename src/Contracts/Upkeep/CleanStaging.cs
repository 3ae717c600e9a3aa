namespace Pipeline.Contracts.Upkeep;

/// <summary>Command on a schedule: remove staged bytes that nobody will ask for.</summary>
/// <param name="Slot">When it was due; null when no schedule sent it. A slot's work is done once.</param>
public sealed record CleanStaging(DateTimeOffset? Slot = null);
