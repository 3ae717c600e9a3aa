namespace Pipeline.Contracts.Publishing;

/// <summary>Event to every API process: a publish has its verdict, in its row.</summary>
/// <param name="PublishId">The publish.</param>
public sealed record PublishDecided(string PublishId);
