namespace Pipeline.Contracts.Publishing;

/// <summary>Bell for the tarball stage: the staged bytes of parked publishes wait to be checked.</summary>
/// <param name="PublishId">A publish; its row is the state.</param>
public sealed record ValidateTarball(string PublishId)
{
    /// <summary>Further publishes of the same bell; null: none. A program from before there were any leaves them to the sweep.</summary>
    public IReadOnlyList<string>? More { get; init; }
}
