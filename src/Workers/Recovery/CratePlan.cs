using Pipeline.Workers.Manifests;
using Pipeline.Workers.Records;

namespace Pipeline.Workers.Recovery;

/// <summary>The flags of a version.</summary>
internal readonly record struct VersionState(bool Deleted, bool Freed, bool Yanked, string? YankMessage);

/// <summary>A version that the database lacks.</summary>
/// <param name="Record">Its record; null: it is known from the index alone.</param>
/// <param name="Line">Its line; null: the index does not show it.</param>
/// <param name="PublishedAt">Its time, microseconds: later than the one before it.</param>
/// <param name="State">Its flags.</param>
internal sealed record NewVersion(VersionRecord? Record, IndexedVersion? Line, long PublishedAt, VersionState State)
{
    public string Num => Record?.Version ?? Line!.Num;

    public string Checksum => Record?.Checksum ?? Line!.Checksum;

    public string Name => Record?.Name ?? Line!.Name;
}

/// <summary>A version of the database whose flags are others.</summary>
internal sealed record ChangedVersion(StoredVersion Version, VersionState State);

/// <summary>Something an operator should know of.</summary>
/// <param name="Kind">
/// <c>bytes-missing</c>: a version in force has none. <c>unfinished</c>: a publish that was never accepted left a record, which is ignored.
/// <c>no-record</c>: restored from its index line alone. <c>yank-doubtful</c>: record and index disagree, so it is yanked.
/// <c>index-only</c>: the index shows it and nothing was ever published here under its name, as for a mirrored crate; left to its upstream.
/// <c>checksum-differs</c>: the index names other bytes than the database. <c>number-twice</c>: two versions claim one number; one is left out.
/// </param>
/// <param name="Crate">The crate.</param>
/// <param name="Num">The version.</param>
public sealed record RecoveryNote(string Kind, string Crate, string Num);

/// <summary>What is to be done for one crate.</summary>
internal sealed record CratePlan
{
    /// <summary>The versions to insert, in the order of their times.</summary>
    public required IReadOnlyList<NewVersion> New { get; init; }

    public required IReadOnlyList<ChangedVersion> Changed { get; init; }

    /// <summary>Whether the crate is deleted in the end.</summary>
    public required bool Deleted { get; init; }

    /// <summary>Whether it was deleted, and made again since: owners and beginning are the new one's.</summary>
    public required bool Revived { get; init; }

    /// <summary>The crate's own record where it is newer than the database; null: the database's columns stand.</summary>
    public required CrateRecord? Told { get; init; }

    /// <summary>The logins that own it; null: as the database has it.</summary>
    public required IReadOnlyList<string>? Owners { get; init; }

    /// <summary>No revision up to this one may be used again: records carry them in their keys.</summary>
    public required long UsedRevision { get; init; }

    public required IReadOnlyList<RecoveryNote> Notes { get; init; }

    /// <summary>Whether anything differs from the database.</summary>
    public bool ChangesAnything => New.Count > 0 || Changed.Count > 0 || Told is not null;
}
