namespace Pipeline.Workers.Tarballs;

/// <summary>What an archive is held against: where its files must lie, and how much it may hold.</summary>
/// <param name="PackageRoot">The one folder every entry lies in: <c>{name}-{version}</c> of the publish request, compared byte for byte.</param>
public sealed record TarballRules(string PackageRoot)
{
    /// <summary>Bytes the archive may unpack to, headers and padding included; reaching it already fails (crates-io-behaviour §2.2).</summary>
    public long UnpackLimit { get; init; } = 512L * 1024 * 1024;

    /// <summary>The compressed bytes this crate may upload; a crate allowed to upload more than the unpack limit may unpack as much.</summary>
    public long UploadLimit { get; init; } = 10L * 1024 * 1024;

    /// <summary>Entries (files and folders) the archive may hold, or null for any number.</summary>
    public int? MaxEntries { get; init; }

    /// <summary>The unpack limit in force: the larger of the two (§1.3).</summary>
    public long EffectiveUnpackLimit => Math.Max(UnpackLimit, UploadLimit);
}
