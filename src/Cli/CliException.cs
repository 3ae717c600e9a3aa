namespace Pipeline.Cli;

/// <summary>A command failed for a reason its user understands; the message is that reason, in one sentence.</summary>
public sealed class CliException : Exception
{
    /// <summary>Fails without a reason; only for the framework's pattern.</summary>
    public CliException()
    {
    }

    /// <summary>Fails with a sentence.</summary>
    public CliException(string message)
        : base(message)
    {
    }

    /// <summary>Fails with a sentence and what caused it.</summary>
    public CliException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
