namespace Pipeline.Registry.Git;

/// <summary>How a git command ended.</summary>
/// <param name="ExitCode">Its exit status; 128 and the signal's number when a signal ended it.</param>
/// <param name="Output">All of its standard output.</param>
/// <param name="Errors">The first 4 KiB of its standard error.</param>
public sealed record GitResult(int ExitCode, byte[] Output, string Errors);
