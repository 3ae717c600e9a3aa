namespace Pipeline.Registry.Cdn;

/// <summary>What a purge names.</summary>
public enum PurgeScope
{
    /// <summary>One object, by its key in the store: each target knows under which URLs it serves it.</summary>
    Url,

    /// <summary>A surrogate key.</summary>
    Key,
}

/// <summary>Something one cache must forget.</summary>
/// <param name="Id">The row.</param>
/// <param name="Scope">What <paramref name="Value"/> is.</param>
/// <param name="Value">An object's key, or a surrogate key.</param>
/// <param name="Hard">Whether it must not be served once more.</param>
public sealed record PurgeItem(long Id, PurgeScope Scope, string Value, bool Hard);
