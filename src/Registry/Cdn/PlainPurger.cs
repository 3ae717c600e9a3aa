namespace Pipeline.Registry.Cdn;

/// <summary>
/// Caches that take a method of their own on the URL itself (Varnish, Squid, nginx), and keys in a header on <c>/</c>. Every node of a
/// cluster is told, with the host that clients ask for.
/// </summary>
public sealed class PlainPurger(CdnTarget target) : ICachePurger
{
    // A header line of Varnish holds 8 KiB.
    private const int MostKeys = 100;
    private const int MostKeyBytes = 4000;

    /// <inheritdoc/>
    public IReadOnlyList<PurgeRequest> Plan(IReadOnlyList<PurgeItem> items)
    {
        ArgumentNullException.ThrowIfNull(items);
        var requests = new List<PurgeRequest>();
        foreach (var item in items.Where(static item => item.Scope == PurgeScope.Url))
        {
            foreach (var url in ServedUrls.Of(target, item.Value)) requests.AddRange(ToNodes([item], url));
        }

        // Keys belong to no URL: each cache is told once, under the first host it is known by.
        var bases = target.IndexUrls.Concat(target.FileUrls).DistinctBy(static url => new Uri(url).Authority);
        foreach (var url in target.Nodes.Count > 0 ? bases.Take(1) : bases)
        {
            foreach (var keys in Batches.OfKeys(items, MostKeys, MostKeyBytes))
                requests.AddRange(ToNodes(keys, new Uri(url).GetLeftPart(UriPartial.Authority) + "/", string.Join(' ', keys.Select(static item => item.Value).Distinct())));
        }

        return requests;
    }

    /// <inheritdoc/>
    public IReadOnlyList<(string Name, string Value)> Sign(PurgeRequest request, DateTimeOffset now) => [];

    /// <inheritdoc/>
    public PurgeVerdict Judge(PurgeRequest request, CacheAnswer answer)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (PurgeVerdict.OfStatus(answer) is { } known) return known;
        // Squid and nginx say 404 for what they do not hold, which is as good as purged.
        return answer.Status is 404 or 410 or 412 && request.Items[0].Scope == PurgeScope.Url
            ? PurgeVerdict.Accepted
            : new PurgeVerdict(PurgeResult.Unfit, "cdn-request", $"the cache refuses the purge ({answer.Status})");
    }

    private IEnumerable<PurgeRequest> ToNodes(IReadOnlyList<PurgeItem> items, string url, string? keys = null) => ServedUrls.AtNodes(target, url)
        .Select(at => new PurgeRequest(items, target.Method, at.Url) { Host = at.Host, Headers = [.. Headers(items[0].Hard, keys)] });

    private IEnumerable<(string Name, string Value)> Headers(bool hard, string? keys)
    {
        if (target.Token is { } token) yield return (target.TokenHeader, token.Reveal());
        if (keys is not null) yield return (target.KeyHeader, keys);
        if (target.SoftPurge && !hard) yield return (target.SoftHeader, "1");
    }
}
