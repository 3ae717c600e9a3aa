using System.Text.Unicode;

namespace Pipeline.Workers.Tarballs;

/// <summary>Whether an entry lies in the package (crates-io-behaviour §2.3 rows 6 to 8).</summary>
/// <remarks>A path may be a megabyte long and come many times: what looks at every byte of it is a vector search.</remarks>
internal static class EntryPath
{
    /// <summary>
    /// The path below the root, not yet normalised; false when it does not lie there, climbs anywhere, has a NUL, which no file name can have and
    /// other readers cut the path at, or is not UTF-8.
    /// </summary>
    public static bool TryEnter(ReadOnlySpan<byte> path, ReadOnlySpan<byte> root, out ReadOnlySpan<byte> inside)
    {
        inside = default;
        if (!path.StartsWith(root)) return false;
        inside = path[root.Length..];
        return (inside.IsEmpty || inside[0] == '/') && !Climbs(inside) && !inside.Contains((byte)0) && Utf8.IsValid(inside);
    }

    /// <summary>Whether some component is <c>..</c>; the path starts with a slash.</summary>
    private static bool Climbs(ReadOnlySpan<byte> path)
    {
        while (true)
        {
            var dots = path.IndexOf(".."u8);
            if (dots < 0) return false;
            var isStart = path[dots - 1] == '/';
            path = path[dots..];
            var count = path.IndexOfAnyExcept((byte)'.');
            if (count < 0) return isStart && path.Length == 2;
            if (isStart && count == 2 && path[2] == '/') return true;
            path = path[count..];
        }
    }
}
