namespace Pipeline.Contracts.Index;

/// <summary>Bell for the sparse renderer: the sparse index files of crates are behind.</summary>
/// <param name="CrateId">A crate's row.</param>
public sealed record RenderSparse(long CrateId)
{
    /// <summary>Further crates of the same bell; null: none. A program from before there were any leaves them to the sweep.</summary>
    public IReadOnlyList<long>? More { get; init; }
}
