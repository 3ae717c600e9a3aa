using System.Text.Json.Serialization;
using Pipeline.Contracts;

namespace Pipeline.Workers.Tarballs;

/// <summary>
/// What one pass over an archive found out. Made of the bytes and the rules alone, so reading again gives the same facts;
/// kept as JSON (<see cref="TarballJson"/>) between the tarball and the manifest stage.
/// </summary>
public sealed record TarballFacts
{
    /// <summary>The <see cref="ProblemAt"/> of a problem that shows only after the last entry (crates-io-behaviour §2.4).</summary>
    public const int AfterLastEntry = int.MaxValue;

    /// <summary>SHA-256 of all compressed bytes, 64 lower-case hex digits.</summary>
    public required string Checksum { get; init; }

    /// <summary>All compressed bytes, whatever stands behind the archive included.</summary>
    public required long Size { get; init; }

    /// <summary>Entries met, files and folders; extension headers are none.</summary>
    public required int EntryCount { get; init; }

    /// <summary>Bytes of the contents of all entries that were read to their end, without headers and padding.</summary>
    public required long UnpackedSize { get; init; }

    /// <summary>The first problem of the archive itself; null when there is none. A manifest may have one before it: see <see cref="ErrorOrder"/>.</summary>
    public Reject? Problem { get; init; }

    /// <summary>The entry the problem was met at (the first is 1), or <see cref="AfterLastEntry"/>; 0 without a problem.</summary>
    public int ProblemAt { get; init; }

    /// <summary>
    /// Every manifest at the root met before the problem, in archive order. The same name twice is allowed and the last one counts,
    /// but a fault in an earlier one is still reported, so all are kept.
    /// </summary>
    public IReadOnlyList<ManifestFile> Manifests { get; init; } = [];

    /// <summary>
    /// The entry paths that target inference asks for (§2.7), relative to the root and normalised as Rust's path components are:
    /// <c>src/x.rs</c>, <c>src/bin/x.rs</c>, <c>src/bin/x/main.rs</c>. Each once, in archive order, not sorted.
    /// </summary>
    public IReadOnlyList<string> Files { get; init; } = [];

    /// <summary><c>path_in_vcs</c> of <c>.cargo_vcs_info.json</c> (§2.8): empty when the file lacks it, null without a readable file.</summary>
    public string? PathInVcs { get; init; }

    /// <summary>The manifest that counts, when there is no problem: the last one.</summary>
    [JsonIgnore]
    public ManifestFile? Manifest => Problem is null && Manifests.Count > 0 ? Manifests[^1] : null;
}

/// <summary>The stored form of <see cref="TarballFacts"/>: compact JSON, camel case, nulls left out. Fields are only ever added.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(TarballFacts))]
public sealed partial class TarballJson : JsonSerializerContext;
