using Pipeline.Contracts;

namespace Pipeline.Workers.Manifests;

/// <summary>The names below <c>src/</c> that decide which targets a package has.</summary>
internal sealed class SourceTree
{
    private readonly HashSet<string> _src = new(StringComparer.Ordinal);
    private readonly SortedSet<string> _bin = new(Utf8Order.Instance);
    private readonly HashSet<string> _binsWithMain = new(StringComparer.Ordinal);

    /// <summary>Sorts out the paths, which are relative to the package root. Others than <c>src/…</c> are passed over.</summary>
    public SourceTree(IReadOnlyCollection<string> paths)
    {
        foreach (var path in paths)
            Add(path);
    }

    /// <summary>Whether <c>src/</c> has an entry of this name.</summary>
    public bool Has(string name) => _src.Contains(name);

    /// <summary>
    /// The binaries that are found without being declared: those of <c>src/bin/</c> in byte order of their file names,
    /// then <c>src/main.rs</c>, which is named as the package.
    /// </summary>
    public List<(string Name, string Path)> Bins(string packageName)
    {
        var bins = new List<(string, string)>();
        foreach (var file in _bin)
        {
            if (file.EndsWith(".rs", StringComparison.Ordinal))
                bins.Add((file[..^3], $"src/bin/{file}"));
            if (_binsWithMain.Contains(file))
                bins.Add((file, $"src/bin/{file}/main.rs"));
        }
        if (Has("main.rs"))
            bins.Add((packageName, "src/main.rs"));
        return bins;
    }

    private void Add(string path)
    {
        var rest = path.AsSpan();
        if (Next(ref rest) is not "src")
            return;
        var inSrc = Next(ref rest);
        if (inSrc.IsEmpty)
            return;
        _src.Add(inSrc.ToString());
        var inBin = inSrc is "bin" ? Next(ref rest) : default;
        if (inBin.IsEmpty)
            return;
        var name = inBin.ToString();
        _bin.Add(name);
        if (Next(ref rest) is "main.rs")
            _binsWithMain.Add(name);
    }

    // Empty parts and "." name nothing, as in every path of the archive (§2.3).
    private static ReadOnlySpan<char> Next(ref ReadOnlySpan<char> rest)
    {
        while (!rest.IsEmpty)
        {
            var slash = rest.IndexOf('/');
            var part = slash < 0 ? rest : rest[..slash];
            rest = slash < 0 ? default : rest[(slash + 1)..];
            if (!part.IsEmpty && part is not ".")
                return part;
        }
        return default;
    }
}
