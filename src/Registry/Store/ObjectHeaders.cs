namespace Pipeline.Registry.Store;

/// <summary>What a kind of object is served with, by whatever stands in front of the store (crates-io-behaviour §4.5; design §3 "Purges").</summary>
/// <param name="ContentType">Its media type.</param>
/// <param name="CacheControl">Its <c>Cache-Control</c>; null: none.</param>
/// <param name="Tags">The tags that a cache files it under, for purges; without blanks and commas.</param>
public sealed record ObjectHeaders(string ContentType, string? CacheControl, IReadOnlyList<string> Tags)
{
    /// <summary>Crate files never change.</summary>
    public const string CrateCacheControl = "public,max-age=31536000,immutable";

    /// <summary>An index file is purged when it changes; where the purge is lost it is at most this old.</summary>
    public const string IndexCacheControl = "public,max-age=600";

    /// <summary>The headers of the object at a key.</summary>
    /// <param name="key">The key.</param>
    /// <param name="indexCacheControl">The <c>Cache-Control</c> of sparse index files.</param>
    public static ObjectHeaders Of(string key, string indexCacheControl = IndexCacheControl)
    {
        ArgumentNullException.ThrowIfNull(key);
        var slash = key.IndexOf('/', StringComparison.Ordinal);
        var rest = key[(slash + 1)..];
        return (slash < 0 ? "" : key[..slash]) switch
        {
            StoreKeys.Crates => new("application/gzip", CrateCacheControl, CrateTags(rest)),
            StoreKeys.Upstream => new("application/gzip", CrateCacheControl, []),
            StoreKeys.Index => new("text/plain", indexCacheControl, [CacheTags.IndexFile(rest[(rest.LastIndexOf('/') + 1)..])]),
            StoreKeys.Records => new("application/json", null, []),
            StoreKeys.Staging => new("application/gzip", "no-store", []),
            _ => new("application/octet-stream", null, []),
        };
    }

    /// <summary>Of <c>{name}/{name}-{version}.crate</c>.</summary>
    private static string[] CrateTags(string rest)
    {
        const string ending = ".crate";
        var slash = rest.IndexOf('/', StringComparison.Ordinal);
        if (slash < 0) return [];
        var name = rest[..slash];
        var version = slash + 1 + name.Length + 1;
        return rest.EndsWith(ending, StringComparison.Ordinal) && rest.Length > version + ending.Length && rest.AsSpan(slash + 1).StartsWith(name)
            ? [CacheTags.Crate(name), CacheTags.Release(name, rest[version..^ending.Length])]
            : [CacheTags.Crate(name)];
    }
}
