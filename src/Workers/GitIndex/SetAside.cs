namespace Pipeline.Workers.GitIndex;

/// <summary>A crate that cannot be brought into the index now, so that its batch goes on without it.</summary>
/// <param name="CrateId">The crate's row.</param>
/// <param name="Error">Why.</param>
public sealed record SetAside(long CrateId, Exception Error);
