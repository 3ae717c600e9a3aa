using Pipeline.Workers.Manifests;
using Pipeline.Workers.Records;

namespace Pipeline.Workers.Recovery;

/// <summary>A version as the database has it.</summary>
internal sealed record StoredVersion(long Id, string Num, string PublishId, string Checksum, string ObjectKey, bool Deleted, bool Freed, bool Yanked, string? YankMessage);

/// <summary>A crate as the database has it.</summary>
/// <param name="Id">Its row.</param>
/// <param name="Name">Its name.</param>
/// <param name="Revision">Its revision.</param>
/// <param name="Deleted">Whether it is deleted.</param>
/// <param name="IsShown">Whether the sparse index showed this very revision: then the file that stands now is no older.</param>
/// <param name="LastPublishedAt">The time of its newest version, microseconds.</param>
/// <param name="Versions">All versions, deleted ones too.</param>
internal sealed record StoredCrate(long Id, string Name, long Revision, bool Deleted, bool IsShown, long LastPublishedAt, IReadOnlyList<StoredVersion> Versions);

/// <summary>A line of the index file.</summary>
internal sealed record IndexedVersion(string Name, string Num, string Checksum, bool Yanked, string Text);

/// <summary>Bytes in the store.</summary>
/// <param name="Length">How many.</param>
/// <param name="Checksum">Their SHA-256; null: not asked for.</param>
internal sealed record FoundBytes(long Length, string? Checksum);

/// <summary>All that is known of one crate: what the database has, and what lies outside it.</summary>
/// <param name="Stored">The database's; null: nothing.</param>
/// <param name="Records">The records of its versions.</param>
/// <param name="Record">Its own record of the highest revision; null: none.</param>
/// <param name="Lines">The lines of its index file, in their order.</param>
/// <param name="Files">Its bytes by object key.</param>
/// <param name="Rejected">Publishes that the database knows as rejected.</param>
internal sealed record CrateEvidence(
    StoredCrate? Stored, IReadOnlyList<VersionRecord> Records, CrateRecord? Record, IReadOnlyList<IndexedVersion> Lines,
    IReadOnlyDictionary<string, FoundBytes> Files, IReadOnlySet<string> Rejected);
