namespace Pipeline.Contracts.Index;

/// <summary>Bell for the sparse renderer: a crate's sparse index file is behind.</summary>
/// <param name="CrateId">The crate's row.</param>
public sealed record RenderSparse(long CrateId);
