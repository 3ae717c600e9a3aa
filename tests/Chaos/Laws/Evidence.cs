namespace Pipeline.Tests.Chaos.Laws;

/// <summary>A version's row.</summary>
internal sealed record VersionFact(string Crate, string Version, string Checksum, bool Yanked, bool Active);

/// <summary>A commit of the git index, with what it did to files.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Subject">Its first line.</param>
/// <param name="ByRegistry">Whether the registry made it.</param>
/// <param name="Changes">The files it changed: path, text before, text after; null: no file.</param>
internal sealed record CommitFact(string Id, string Subject, bool ByRegistry, IReadOnlyList<(string Path, string? Before, string? After)> Changes);

/// <summary>What stands in the registry at the end, read from every surface it has.</summary>
internal sealed record Evidence
{
    /// <summary>Every version row.</summary>
    public required IReadOnlyList<VersionFact> Versions { get; init; }

    /// <summary>The index file of each crate as the database renders it now.</summary>
    public required IReadOnlyDictionary<string, string> Rendered { get; init; }

    /// <summary>Every file below <c>index/</c> in the object store but <c>config.json</c>, by index path.</summary>
    public required IReadOnlyDictionary<string, string> Sparse { get; init; }

    /// <summary>What the API serves of each of them.</summary>
    public required IReadOnlyDictionary<string, string?> Served { get; init; }

    /// <summary>What the cache in front serves of each of them.</summary>
    public required IReadOnlyDictionary<string, string?> Cached { get; init; }

    /// <summary>Every file of the git index's newest commit, as cloned, but <c>config.json</c>.</summary>
    public required IReadOnlyDictionary<string, string> GitTree { get; init; }

    /// <summary>All commits, the first one first.</summary>
    public required IReadOnlyList<CommitFact> Commits { get; init; }

    /// <summary>SHA-256 of what is downloaded for each version; null: nothing is.</summary>
    public required IReadOnlyDictionary<(string Crate, string Version), string?> Downloads { get; init; }

    /// <summary>The names of all crate files in the object store.</summary>
    public required IReadOnlySet<string> Files { get; init; }

    /// <summary>Every publish row's state by id.</summary>
    public required IReadOnlyDictionary<string, string> Publishes { get; init; }

    /// <summary>What still waits after the drain, one sentence each.</summary>
    public required IReadOnlyList<string> Waiting { get; init; }

    /// <summary>Failures that stand open, one sentence each.</summary>
    public required IReadOnlyList<string> Failures { get; init; }
}
