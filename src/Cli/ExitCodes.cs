namespace Pipeline.Cli;

/// <summary>What a command returns to the shell.</summary>
public static class ExitCodes
{
    /// <summary>It did what was asked.</summary>
    public const int Succeeded = 0;

    /// <summary>It failed and said why.</summary>
    public const int Failed = 1;

    /// <summary>The command line was wrong.</summary>
    public const int Usage = 2;
}
