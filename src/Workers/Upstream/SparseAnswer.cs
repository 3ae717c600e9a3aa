namespace Pipeline.Workers.Upstream;

/// <summary>By what a server knows again which state of a file it gave us.</summary>
/// <param name="ETag">Its <c>ETag</c>, as it was sent.</param>
/// <param name="Modified">Its <c>Last-Modified</c>, as it was sent.</param>
public sealed record FileMark(string? ETag, string? Modified);

/// <summary>What a sparse index says of one file.</summary>
public abstract record SparseAnswer
{
    private SparseAnswer()
    {
    }

    /// <summary>It is as it was.</summary>
    public sealed record Unchanged : SparseAnswer;

    /// <summary>There is none, by accident or by policy: 404, 410, 451.</summary>
    public sealed record Absent : SparseAnswer;

    /// <summary>Its bytes.</summary>
    /// <param name="Bytes">The whole file.</param>
    /// <param name="Mark">What to ask with next time; null: the server gives nothing to ask with.</param>
    public sealed record Found(byte[] Bytes, FileMark? Mark) : SparseAnswer;

    /// <summary>It could not be had.</summary>
    /// <param name="Code"><c>file-away</c>: the server does not answer, or says that it cannot now; <c>file-refused</c>; <c>file-too-large</c>.</param>
    /// <param name="Text">Why.</param>
    public sealed record Failed(string Code, string Text) : SparseAnswer
    {
        /// <summary>Whether the server itself may be away.</summary>
        public bool IsAway => Code == Away;

        /// <summary>The code of a server that does not answer, or says that it cannot now.</summary>
        public const string Away = "file-away";

        /// <summary>The code of a file that is larger than allowed.</summary>
        public const string TooLarge = "file-too-large";
    }
}
