namespace Pipeline.Contracts.Index;

/// <summary>One version as the index names it: the values of one line of an index file (crates-io-behaviour §3.1).</summary>
/// <param name="Name">The crate's name as stored, case kept.</param>
/// <param name="Vers">The version, build metadata included.</param>
/// <param name="Deps">The dependencies, in any order; rendering sorts them.</param>
/// <param name="Cksum">SHA-256 of the .crate, 64 lower-case hex digits.</param>
/// <param name="Features">All features with their values in manifest order; rendering sorts the keys and splits off <c>features2</c>.</param>
/// <param name="Yanked">Whether the version is yanked.</param>
/// <param name="Links">The native library the crate links, if any.</param>
/// <param name="RustVersion">The least Rust version as written in the manifest, if any.</param>
public sealed record IndexEntry(
    string Name,
    string Vers,
    IReadOnlyList<IndexDependency> Deps,
    string Cksum,
    IReadOnlyList<KeyValuePair<string, IReadOnlyList<string>>> Features,
    bool Yanked,
    string? Links,
    string? RustVersion);
