using Pipeline.Registry.Store;

namespace Pipeline.Registry.Cdn;

/// <summary>Which purges a change asks of a target. No rule of any provider stands here.</summary>
public static class PurgePlan
{
    /// <summary>
    /// For an index file. By key where the target has keys: one request covers many crates and every variant. But what answered 404 carried
    /// no key, so a first publish goes by URL too.
    /// </summary>
    public static IReadOnlyList<(PurgeScope Scope, string Value)> OfIndexFile(CdnTarget target, string indexPath, string cause)
    {
        ArgumentNullException.ThrowIfNull(target);
        if (target.IndexUrls.Count == 0) return [];
        var url = (PurgeScope.Url, StoreKeys.SparseFile(indexPath));
        if (!target.SurrogateKeys) return [url];
        var key = (PurgeScope.Key, CacheKeys.OfIndex(indexPath));
        return cause == PurgeCauses.First ? [key, url] : [key];
    }

    /// <summary>For an index file that is no crate's and so has no key: <c>config.json</c>.</summary>
    public static IReadOnlyList<(PurgeScope Scope, string Value)> OfPlainFile(CdnTarget target, string path)
    {
        ArgumentNullException.ThrowIfNull(target);
        return target.IndexUrls.Count == 0 ? [] : [(PurgeScope.Url, StoreKeys.SparseFile(path))];
    }

    /// <summary>For a crate file. By both: the key covers spellings of the URL that nobody thinks of, the URL a fetch under way.</summary>
    public static IReadOnlyList<(PurgeScope Scope, string Value)> OfCrateFile(CdnTarget target, string objectKey)
    {
        ArgumentNullException.ThrowIfNull(target);
        if (target.FileUrls.Count == 0) return [];
        var url = (PurgeScope.Url, objectKey);
        return target.SurrogateKeys && CacheKeys.OfFile(objectKey) is { } key ? [(PurgeScope.Key, key), url] : [url];
    }
}
