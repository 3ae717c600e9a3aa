using System.Text;
using Pipeline.Contracts;

namespace Pipeline.Workers.Tarballs;

/// <summary>The sentences of crates-io-behaviour §2.3 and §2.4, word for word, and those for bounds that are ours alone.</summary>
internal static class TarballRejects
{
    /// <summary>Row 1 (and 3): gzip or tar cannot be read on, or the unpack limit is reached between two entries.</summary>
    public static Reject Malformed { get; } = Archive("uploaded tarball is malformed or too large when decompressed");

    /// <summary>Rows 4 and 5: the pax size is no number, or not the size in the header.</summary>
    public static Reject PaxSize { get; } = Archive("uploaded tarball is malformed");

    public static Reject MissingManifest { get; } = Archive("uploaded tarball is missing a `Cargo.toml` manifest file");

    public static Reject TooManyManifestFiles { get; } = Limit($"uploaded tarball contains more than {TarballBounds.Manifests} entries named `Cargo.toml` in its root");

    public static Reject ManifestsTooLarge { get; } = Limit($"the manifest files of the uploaded tarball are larger than {TarballBounds.ManifestBytes} bytes together");

    public static Reject TooManySourceFiles { get; } =
        Limit($"uploaded tarball contains more than {TarballBounds.SourceFiles} source files in `src` and `src/bin`, or too long names there");

    public static Reject TooManyEntries(int max) => Limit($"uploaded tarball contains more than {max} entries");

    public static Reject InvalidPath(ReadOnlySpan<byte> path) => Archive($"invalid path found: {Shown(path)}");

    public static Reject UnexpectedType(byte type, ReadOnlySpan<byte> path) => Archive($"unexpected tar entry type {TarHeader.TypeName(type)} found: {Shown(path)}");

    // Row 10 is an internal error at crates.io. The bytes are the publisher's, so here it is a refusal that says what is wrong with them.
    public static Reject NotUtf8(ReadOnlySpan<byte> path) => Archive($"`{Shown(path)}` in the uploaded tarball is not valid UTF-8");

    public static Reject LimitInside(ReadOnlySpan<byte> path) => Archive($"uploaded tarball is too large when decompressed: the limit lies inside `{Shown(path)}`");

    public static Reject TooManyManifests(IEnumerable<string> names) =>
        Archive($"uploaded tarball contains more than one `Cargo.toml` manifest file; found {Quoted.Values(names.Select(n => $"`{n}`")):whole}");

    public static Reject WronglyCased(string name) =>
        Archive($"uploaded tarball is missing a `Cargo.toml` manifest file; `{name}` was found, but must be named `Cargo.toml` with that exact casing");

    private static Reject Archive(Sentence text) => new(RejectCodes.InvalidArchive, 400, text);

    private static Reject Limit(Sentence text) => new(RejectCodes.LimitExceeded, 400, text);

    /// <summary>
    /// A path as it is shown: bad bytes as U+FFFD, and NUL, which PostgreSQL refuses to store, too. A pax path can be a megabyte: no more is
    /// decoded than is shown.
    /// </summary>
    private static string Shown(ReadOnlySpan<byte> path) =>
        Encoding.UTF8.GetString(path[..Math.Min(path.Length, TarballBounds.ShownPathBytes)]).Replace('\0', '\uFFFD');
}
