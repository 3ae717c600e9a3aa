namespace Pipeline.Contracts.Upkeep;

/// <summary>Bell for upkeep: a crate changed in a way that no version's record tells (owners, a yank, a deletion), so its own record is due.</summary>
/// <param name="CrateId">The crate's row.</param>
public sealed record RecordCrate(long CrateId);
