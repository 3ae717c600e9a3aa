namespace Pipeline.Registry.Git;

/// <summary>One commit to the index.</summary>
/// <param name="Message">Its message, as it shall stand.</param>
/// <param name="Upserts">Files that are new or have other bytes.</param>
/// <param name="Deletes">Paths that go. A folder that becomes empty goes with its last file.</param>
public sealed record IndexCommit(string Message, IReadOnlyList<IndexUpsert> Upserts, IReadOnlyList<string> Deletes);

/// <summary>A file of a commit.</summary>
/// <param name="Path">Its path in the index (<see cref="IndexTreePath"/>).</param>
/// <param name="Content">All its bytes.</param>
public sealed record IndexUpsert(string Path, ReadOnlyMemory<byte> Content);
