namespace Pipeline.Workers.Tarballs;

/// <summary>A manifest at the root of the package, in whatever casing, not yet parsed.</summary>
/// <param name="Name">The file name as spelt in the archive: <c>Cargo.toml</c>, <c>cargo.toml</c>, <c>CARGO.TOML</c> …</param>
/// <param name="Entry">Which entry of the archive it is; the first one is 1.</param>
/// <param name="Text">Its content, valid UTF-8, a byte order mark kept.</param>
public sealed record ManifestFile(string Name, int Entry, string Text);
