using System.Text;

namespace Pipeline.Workers.Tarballs;

/// <summary>
/// Collects the few paths that target inference looks at (crates-io-behaviour §2.7). A deeper entry stands for the folders and
/// files above it too, as in crates.io: <c>src/lib.rs/x</c> counts as <c>src/lib.rs</c>.
/// </summary>
internal sealed class SourceFiles
{
    private readonly HashSet<string> known = new(StringComparer.Ordinal);
    private readonly List<string> paths = [];
    private int chars;

    /// <summary>Each path once, in archive order.</summary>
    public IReadOnlyList<string> Paths => paths;

    /// <summary>Keeps what matters of an entry, given its first component and standing at its second; false when there is more than is kept.</summary>
    public bool TryAdd(ReadOnlySpan<byte> first, PathComponents second)
    {
        if (!first.SequenceEqual("src"u8)) return true;
        if (!second.Current.SequenceEqual("bin"u8)) return TryKeep("src/", second.Current, "");
        if (!second.MoveNext()) return true;
        var name = second.Current;
        if (name.EndsWith(".rs"u8)) return TryKeep("src/bin/", name, "");
        return !second.MoveNext() || !second.Current.SequenceEqual("main.rs"u8) || TryKeep("src/bin/", name, "/main.rs");
    }

    private bool TryKeep(string folder, scoped ReadOnlySpan<byte> name, string file)
    {
        // No file system can hold such a name, so it is no file that could be built.
        if (name.Length > TarballBounds.SourceNameBytes) return true;
        if (file.Length == 0 && !name.EndsWith(".rs"u8)) return true;
        Span<char> path = stackalloc char[TarballBounds.SourceNameBytes + 16];
        var length = Append(path, folder);
        length += Encoding.UTF8.GetChars(name, path[length..]);
        length += Append(path[length..], file);
        path = path[..length];

        // The same path a million times must not make a million strings.
        var lookup = known.GetAlternateLookup<ReadOnlySpan<char>>();
        if (lookup.Contains(path)) return true;
        if (paths.Count == TarballBounds.SourceFiles || chars + length > TarballBounds.SourceFileChars) return false;
        chars += length;
        paths.Add(path.ToString());
        return known.Add(paths[^1]);
    }

    private static int Append(Span<char> to, string text)
    {
        text.CopyTo(to);
        return text.Length;
    }
}
