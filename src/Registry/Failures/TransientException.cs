namespace Pipeline.Registry.Failures;

/// <summary>Something outside is away, slow or busy: the same work will do later. Adapters throw it; one place decides what follows.</summary>
public sealed class TransientException : Exception
{
    /// <summary>A transient failure.</summary>
    /// <param name="code">A stable kebab-case word: <c>database-busy</c>, <c>store-away</c>.</param>
    /// <param name="message">What could not be reached, without secrets.</param>
    /// <param name="inner">The cause.</param>
    public TransientException(string code, string message, Exception? inner = null)
        : base(message, inner) => Code = code;

    /// <summary>The stable word for it.</summary>
    public string Code { get; }
}
