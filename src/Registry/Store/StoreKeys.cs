using System.Globalization;

namespace Pipeline.Registry.Store;

/// <summary>The keys of objects (crates-io-behaviour §4.5; design §5 "Object keys").</summary>
public static class StoreKeys
{
    /// <summary>Folder of uploads that no verdict was reached on: private.</summary>
    public const string Staging = "staging";

    /// <summary>Folder of the .crate files.</summary>
    public const string Crates = "crates";

    /// <summary>Folder of the records of accepted versions.</summary>
    public const string Records = "records";

    /// <summary>Folder of the sparse index files.</summary>
    public const string Index = "index";

    /// <summary>Folder of the .crate files of mirrored crates, below it one folder per upstream.</summary>
    public const string Upstream = "upstream";

    /// <summary>The staged bytes of a publish.</summary>
    public static string Staged(string publishId) => $"{Staging}/{publishId}.crate";

    /// <summary>The .crate file of a version: the name in its stored case, the version with a literal <c>+</c>.</summary>
    public static string Crate(string name, string version) => $"{Crates}/{name}/{name}-{version}.crate";

    /// <summary>
    /// The record of what was accepted as a version, by the publish that it came with: it is never written over. The name is not said
    /// twice: a folder's file name has 255 bytes at most, and the longest name, version and id together have more.
    /// </summary>
    public static string Record(string name, string version, string publishId) => $"{Records}/{name}/{version}.{publishId}.json";

    /// <summary>
    /// The record of what only the database knows of a crate at one revision: owners, yanks, deletions. Never written over; the highest
    /// revision counts. No version begins with a letter, so it is told from the record of one by its first character.
    /// </summary>
    public static string CrateRecord(string name, long revision) => string.Create(CultureInfo.InvariantCulture, $"{Records}/{name}/crate.{revision:D19}.json");

    /// <summary>The .crate file of a mirrored version. A line that names another checksum for the same version names another file.</summary>
    /// <param name="upstream">The upstream's name.</param>
    /// <param name="name">The crate's name as its index spells it.</param>
    /// <param name="version">The version as its line spells it.</param>
    /// <param name="checksum">Its <c>cksum</c>.</param>
    public static string UpstreamFile(string upstream, string name, string version, string checksum) => $"{Upstream}/{upstream}/crates/{name}/{version}/{checksum}.crate";

    /// <summary>The sparse index file at an index path.</summary>
    public static string SparseFile(string indexPath) => $"{Index}/{indexPath}";
}
