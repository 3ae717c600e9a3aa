namespace Pipeline.Contracts.Upkeep;

/// <summary>Bell for a rebuild: its row says of what, and how far it has got.</summary>
/// <param name="Id">The row in <c>rebuilds</c>.</param>
public sealed record Rebuild(long Id);
