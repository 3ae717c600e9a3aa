namespace Pipeline.Contracts.Upkeep;

/// <summary>Command on a schedule: find what waits without a bell, and ring.</summary>
public sealed record Sweep;
