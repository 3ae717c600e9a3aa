namespace Pipeline.Registry.Cdn;

/// <summary>One request to a cache or its API. A class, not a record: its headers hold secrets and must not be printed.</summary>
/// <param name="items">The purges that it serves.</param>
/// <param name="method">Its method.</param>
/// <param name="url">Where it goes, exactly as written: caches key by the raw path.</param>
public sealed class PurgeRequest(IReadOnlyList<PurgeItem> items, string method, string url)
{
    /// <summary>The purges that it serves.</summary>
    public IReadOnlyList<PurgeItem> Items => items;

    /// <summary>Its method.</summary>
    public string Method => method;

    /// <summary>Where it goes.</summary>
    public string Url => url;

    /// <summary>The host it asks for, where that is not the one it goes to.</summary>
    public string? Host { get; init; }

    /// <summary>Its headers.</summary>
    public IReadOnlyList<(string Name, string Value)> Headers { get; init; } = [];

    /// <summary>Its body; null: none.</summary>
    public byte[]? Body { get; init; }

    /// <summary>The body's type.</summary>
    public string? ContentType { get; init; }
}

/// <summary>What came back.</summary>
/// <param name="Status">The HTTP status.</param>
/// <param name="RetryAfter">When to come again, if that was said.</param>
/// <param name="Body">The first bytes of the body as text. Not for error texts: it may repeat what was sent.</param>
public sealed record CacheAnswer(int Status, TimeSpan? RetryAfter, string Body);
