namespace Pipeline.Contracts.Publishing;

/// <summary>Event to every API process: publishes have their verdicts, in their rows.</summary>
/// <param name="PublishId">A publish.</param>
public sealed record PublishDecided(string PublishId)
{
    /// <summary>Further publishes of the same event; null: none. A program from before there were any finds their verdicts within a second.</summary>
    public IReadOnlyList<string>? More { get; init; }
}
