using System.ComponentModel.DataAnnotations;

namespace Pipeline.Registry.Options;

/// <summary>The limits and times of publishing. Section <c>Publish</c>; defaults as crates-io-behaviour §1.3.</summary>
public sealed record PublishOptions
{
    /// <summary>The largest .crate, in bytes, unless the crate has its own limit.</summary>
    [Range(1L, uint.MaxValue)]
    public long MaxUploadBytes { get; init; } = 10 * 1024 * 1024;

    /// <summary>Fewer decompressed bytes than this must come out of an archive (exclusive).</summary>
    [Range(1L, long.MaxValue)]
    public long MaxUnpackedBytes { get; init; } = 512L * 1024 * 1024;

    /// <summary>The most entries of an archive; null: no limit.</summary>
    [Range(1, int.MaxValue)]
    public int? MaxEntries { get; init; }

    /// <summary>The most dependencies of a version.</summary>
    public int MaxDependencies { get; init; } = 500;

    /// <summary>The most features, and the most values of one.</summary>
    public int MaxFeatures { get; init; } = 300;

    /// <summary>The most versions of one crate per 24 hours; null: no limit.</summary>
    [Range(1, int.MaxValue)]
    public int? MaxDailyVersions { get; init; }

    /// <summary>How long a PUT is held while its status can still be chosen. cargo gives up after 30 silent seconds.</summary>
    public double HoldSeconds { get; init; } = 20;

    /// <summary>How long, after that, blanks are sent before the answer becomes a warning with the status URL.</summary>
    public double TailSeconds { get; init; } = 600;

    /// <summary>Every how many seconds blanks are sent. cargo wants 10 bytes per second averaged over 30 s.</summary>
    [Range(0.01, 3600.0)]
    public double BlankSeconds { get; init; } = 5;

    /// <summary>A publish undecided for this many hours is rejected as expired.</summary>
    [Range(0.0001, 1_000_000.0)]
    public double ExpireHours { get; init; } = 24;

    /// <summary>How many hours the name of a deleted crate stays blocked, unless an operator says otherwise.</summary>
    public double DeletedNameHours { get; init; } = 24;

    /// <summary>Above this many staged bytes intake answers 503.</summary>
    public long StagingHighWaterBytes { get; init; } = 8L * 1024 * 1024 * 1024;

    /// <summary>
    /// Uploads of at most so many bytes are parked in the database, in the commit of their row; larger ones are staged in the store. 0: all are
    /// staged, as long as processes of a program from before are still at work.
    /// </summary>
    [Range(0, 4 << 20)]
    public int ParkInDatabaseBytes { get; init; } = 256 * 1024;

    /// <summary>Whether a publisher needs a verified e-mail address.</summary>
    public bool RequireEmail { get; init; } = true;
}
