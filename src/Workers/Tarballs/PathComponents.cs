namespace Pipeline.Workers.Tarballs;

/// <summary>The components of a path as Rust's <c>Path</c> sees them on Unix behind the first: repeated slashes and single dots are nothing.</summary>
internal ref struct PathComponents(ReadOnlySpan<byte> path)
{
    private ReadOnlySpan<byte> rest = path;

    /// <summary>The component reached.</summary>
    public ReadOnlySpan<byte> Current { get; private set; }

    /// <summary>Goes to the next component; false behind the last one.</summary>
    public bool MoveNext()
    {
        while (true)
        {
            var start = rest.IndexOfAnyExcept((byte)'/');
            if (start < 0) return false;
            rest = rest[start..];
            var slash = rest.IndexOf((byte)'/');
            Current = slash < 0 ? rest : rest[..slash];
            rest = rest[Current.Length..];
            if (Current.Length > 1 || Current[0] != '.') return true;
        }
    }
}
