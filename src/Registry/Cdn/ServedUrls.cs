using Pipeline.Registry.Store;

namespace Pipeline.Registry.Cdn;

/// <summary>The URLs under which a target serves an object, in every spelling that clients use.</summary>
public static class ServedUrls
{
    private static readonly string[] Plus = ["+", "%2B", "%2b"];

    /// <summary>
    /// Whole URLs. Caches key by the raw path, so the <c>+</c> of a version is three objects: cargo sends it as it stands, the API's links
    /// write <c>%2B</c>, and hex digits have two cases (crates-io-behaviour §4.5). Empty: the target does not serve the object.
    /// </summary>
    public static IReadOnlyList<string> Of(CdnTarget target, string objectKey)
    {
        ArgumentNullException.ThrowIfNull(target);
        ArgumentNullException.ThrowIfNull(objectKey);
        var slash = objectKey.IndexOf('/', StringComparison.Ordinal);
        var (folder, rest) = (objectKey[..Math.Max(slash, 0)], objectKey[(slash + 1)..]);
        var bases = folder switch { StoreKeys.Index => target.IndexUrls, StoreKeys.Crates => target.FileUrls, _ => [] };
        string[] spellings = rest.Contains('+', StringComparison.Ordinal) ? [.. Plus.Select(plus => rest.Replace("+", plus, StringComparison.Ordinal))] : [rest];
        return [.. bases.SelectMany(_ => spellings, static (url, path) => $"{url.TrimEnd('/')}/{path}")];
    }

    /// <summary>Where a URL is reached at the caches themselves: at each node with the URL's host, or just at the URL.</summary>
    public static IEnumerable<(string Url, string? Host)> AtNodes(CdnTarget target, string url)
    {
        ArgumentNullException.ThrowIfNull(target);
        ArgumentNullException.ThrowIfNull(url);
        if (target.Nodes.Count == 0) return [(url, null)];
        var parsed = new Uri(url);
        var path = url[parsed.GetLeftPart(UriPartial.Authority).Length..];
        return target.Nodes.Select(node => (node.TrimEnd('/') + path, (string?)parsed.Authority));
    }
}
