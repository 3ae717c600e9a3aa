namespace Pipeline.Contracts.Publishing;

/// <summary>Bell for the manifest stage: the facts of archives are known, the verdicts are to be reached.</summary>
/// <param name="PublishId">A publish; its row is the state.</param>
public sealed record ReadManifest(string PublishId)
{
    /// <summary>Further publishes of the same bell; null: none. A program from before there were any leaves them to the sweep.</summary>
    public IReadOnlyList<string>? More { get; init; }
}
