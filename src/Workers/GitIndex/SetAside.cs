namespace Pipeline.Workers.GitIndex;

/// <summary>A crate that cannot be brought into the index now, so that its batch goes on without it.</summary>
/// <param name="CrateId">The crate's row.</param>
/// <param name="Error">Why.</param>
/// <param name="TraceParent">The trace of the newest change it lacks, where that was read.</param>
public sealed record SetAside(long CrateId, Exception Error, string? TraceParent = null);
