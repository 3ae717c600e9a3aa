using Pipeline.Contracts.Index;
using Pipeline.Registry.Store;

namespace Pipeline.Registry.Cdn;

/// <summary>
/// From a purge to the surrogate key (<see cref="CacheTags"/>) of what it is about, and back. Index files have a key of their own: a publish
/// must not throw a crate's files out of the caches.
/// </summary>
public static class CacheKeys
{
    private static readonly string IndexPrefix = CacheTags.IndexFile("");

    /// <summary>The key of the index file at an index path.</summary>
    public static string OfIndex(string indexPath)
    {
        ArgumentNullException.ThrowIfNull(indexPath);
        return CacheTags.IndexFile(indexPath[(indexPath.LastIndexOf('/') + 1)..]);
    }

    /// <summary>The own key of the crate file under an object key; null: it is none.</summary>
    public static string? OfFile(string objectKey) => ObjectHeaders.Of(objectKey).Tags is [_, var release] ? release : null;

    /// <summary>The object that alone has a key; null: there may be several.</summary>
    public static string? ObjectOf(string key)
    {
        ArgumentNullException.ThrowIfNull(key);
        return key.StartsWith(IndexPrefix, StringComparison.Ordinal) ? StoreKeys.SparseFile(IndexPath.Of(key[IndexPrefix.Length..])) : null;
    }
}
