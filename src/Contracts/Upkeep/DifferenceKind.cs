namespace Pipeline.Contracts.Upkeep;

/// <summary>What reconcile can find. The list is closed; a kind's text is its name in kebab-case.</summary>
public enum DifferenceKind
{
    /// <summary>The database has a version, or a whole crate, that an index does not show.</summary>
    MissingInIndex,

    /// <summary>An index shows a version, or a whole file, that the database does not.</summary>
    ExtraInIndex,

    /// <summary>A line says other than the database whether its version is yanked.</summary>
    YankDiffers,

    /// <summary>A line's checksum, or that of the bytes, is not the version's.</summary>
    ChecksumDiffers,

    /// <summary>A line, or the order of a file's lines, is otherwise not what the database says.</summary>
    LineDiffers,

    /// <summary>A version's bytes are not in the object store.</summary>
    BytesMissing,

    /// <summary>Bytes are in the object store for a day that no version names.</summary>
    BytesOrphaned,

    /// <summary>A version's record is not in the object store.</summary>
    RecordMissing,

    /// <summary>A record is in the object store of a version and a publish that the database does not know: it was accepted, and is lost there.</summary>
    VersionMissing,

    /// <summary>Bytes in the staging area that no undecided publish names any more.</summary>
    StagedAndForgotten,

    /// <summary>An index's <c>config.json</c> is missing or says something else than the registry.</summary>
    ConfigDiffers,

    /// <summary>A cache serves something else than its origin, and nothing is on its way to tell it.</summary>
    CdnStale,
}
