namespace Pipeline.Contracts.Index;

/// <summary>Bell for the git writer: some crate's git projection is behind. Which ones, the rows say.</summary>
public sealed record CommitIndex;
