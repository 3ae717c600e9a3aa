namespace Pipeline.Workers.Fetching;

/// <summary>A file to fetch.</summary>
/// <param name="ObjectKey">Where its bytes go.</param>
/// <param name="CrateId">Its crate's row.</param>
/// <param name="Name">The crate's name as its index spells it.</param>
/// <param name="Num">The version as its line spells it.</param>
/// <param name="Checksum">The SHA-256 that its bytes must have, in lower-case hex.</param>
/// <param name="Attempts">How often it was tried in vain.</param>
/// <param name="Upstream">Whose it is.</param>
public sealed record WantedFile(string ObjectKey, long CrateId, string Name, string Num, string Checksum, long Attempts, Registry.Upstreams.Upstream Upstream);

/// <summary>Why a file could not be had.</summary>
/// <param name="Code">A stable word.</param>
/// <param name="Text">One sentence.</param>
/// <param name="IsFinal">Whether the same would happen again: it is refused, until somebody replays the failure. Else it is tried again later.</param>
public sealed record FileTrouble(string Code, string Text, bool IsFinal);
