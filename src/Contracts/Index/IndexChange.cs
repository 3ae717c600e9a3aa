namespace Pipeline.Contracts.Index;

/// <summary>What a commit does to a crate's index file.</summary>
public enum IndexChange
{
    /// <summary>The file was not there before.</summary>
    Created,

    /// <summary>The file's bytes differ: a further version, a yank, an unyank, a deleted version.</summary>
    Updated,

    /// <summary>The file is gone.</summary>
    Deleted,
}
