using Pipeline.Contracts.Index;

namespace Pipeline.Workers.Upstream;

/// <summary>An index file of the upstream that may be shown.</summary>
/// <param name="Path">Its path.</param>
/// <param name="BlobId">What git calls its bytes.</param>
/// <param name="Bytes">Its bytes.</param>
/// <param name="File">What they say.</param>
public sealed record TakenFile(string Path, string BlobId, byte[] Bytes, MirroredFile File)
{
    /// <summary>By what a sparse index knows this state of it again; null: a git index, or nothing.</summary>
    public FileMark? Mark { get; init; }
}

/// <summary>An index file of the upstream that cannot be shown.</summary>
/// <param name="Path">Its path.</param>
/// <param name="BlobId">What git calls its bytes; null: not known.</param>
/// <param name="Code">A stable kebab-case word.</param>
/// <param name="Text">Why.</param>
public sealed record BadFile(string Path, string? BlobId, string Code, string Text);

/// <summary>What one transaction of a sync brings in.</summary>
/// <param name="Taken">Files that are new or other than they were.</param>
/// <param name="Gone">Paths that the upstream has no more, or that are no longer followed.</param>
/// <param name="Bad">Files that could not be taken.</param>
/// <param name="LastPath">Where the batch ends: an interrupted sync goes on behind it. Null: it is no part of the way, but files tried again.</param>
public sealed record SyncBatch(IReadOnlyList<TakenFile> Taken, IReadOnlyList<string> Gone, IReadOnlyList<BadFile> Bad, string? LastPath)
{
    /// <summary>Files that were found as they were, and are not in the batch.</summary>
    public int Unchanged { get; init; }

    /// <summary>The most files of a batch.</summary>
    public const int MostFiles = 1000;

    /// <summary>The most bytes of a batch, but for a single larger file.</summary>
    public const int MostBytes = 8 << 20;
}
