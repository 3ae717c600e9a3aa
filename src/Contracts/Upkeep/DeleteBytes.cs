namespace Pipeline.Contracts.Upkeep;

/// <summary>Bell for upkeep: bytes of deleted versions of a crate may be due for removal.</summary>
/// <param name="CrateId">The crate's row.</param>
public sealed record DeleteBytes(long CrateId);
