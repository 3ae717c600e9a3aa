namespace Pipeline.Registry.Git;

/// <summary>Git refused what it was given: the same input will be refused again.</summary>
public sealed class GitException : Exception
{
    /// <summary>A refusal.</summary>
    /// <param name="exitCode">Git's exit status.</param>
    /// <param name="message">What was asked and what git said.</param>
    public GitException(int exitCode, string message)
        : base(message) => ExitCode = exitCode;

    /// <summary>Git's exit status.</summary>
    public int ExitCode { get; }
}
