namespace Pipeline.Workers.Tarballs;

/// <summary>The components of a path as Rust's <c>Path</c> sees them on Unix, without the one <c>.</c> that may lead: blanks between slashes and further dots are nothing.</summary>
internal ref struct PathComponents(ReadOnlySpan<byte> path)
{
    private ReadOnlySpan<byte> rest = path;

    /// <summary>The component reached.</summary>
    public ReadOnlySpan<byte> Current { get; private set; }

    /// <summary>Goes to the next component; false behind the last one.</summary>
    public bool MoveNext()
    {
        while (!rest.IsEmpty)
        {
            var slash = rest.IndexOf((byte)'/');
            var part = slash < 0 ? rest : rest[..slash];
            rest = slash < 0 ? default : rest[(slash + 1)..];
            if (part.IsEmpty || part.SequenceEqual("."u8)) continue;
            Current = part;
            return true;
        }
        return false;
    }
}

/// <summary>Whether an entry lies in the package (crates-io-behaviour §2.3 rows 6 to 8).</summary>
internal static class EntryPath
{
    /// <summary>The path below the root, not yet normalised; false when it does not lie there, climbs anywhere, or is not UTF-8.</summary>
    public static bool TryEnter(ReadOnlySpan<byte> path, ReadOnlySpan<byte> root, out ReadOnlySpan<byte> inside)
    {
        inside = default;
        if (!path.StartsWith(root)) return false;
        inside = path[root.Length..];
        if (!inside.IsEmpty && inside[0] != '/') return false;
        var components = new PathComponents(inside);
        while (components.MoveNext())
            if (components.Current.SequenceEqual(".."u8)) return false;
        return System.Text.Unicode.Utf8.IsValid(inside);
    }

    /// <summary>The name of a file that lies directly in the root; false for everything deeper and for the root itself.</summary>
    public static bool IsInRoot(ReadOnlySpan<byte> inside, out ReadOnlySpan<byte> name)
    {
        var components = new PathComponents(inside);
        var found = components.MoveNext();
        name = components.Current;
        return found && !components.MoveNext();
    }
}
