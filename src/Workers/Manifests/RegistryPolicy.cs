using System.Collections.Frozen;
using System.Diagnostics.CodeAnalysis;

namespace Pipeline.Workers.Manifests;

/// <summary>Which index URLs mean the registry that is published to, and which other registries its crates may depend on.</summary>
public sealed class RegistryPolicy
{
    private readonly FrozenDictionary<string, string> _own;
    private readonly FrozenDictionary<string, string> _allowed;

    /// <summary>Makes a policy. Empty entries are ignored.</summary>
    /// <param name="ownIndexUrls">Every URL by which clients know the index published to: sparse, git, and older names of both.</param>
    /// <param name="allowedForeignIndexUrls">The indexes of other registries that dependencies may live in; crates.io by default.</param>
    public RegistryPolicy(IEnumerable<string> ownIndexUrls, IEnumerable<string> allowedForeignIndexUrls)
    {
        _own = ByEverySpelling(ownIndexUrls);
        _allowed = ByEverySpelling(allowedForeignIndexUrls);
    }

    /// <summary>Whether the URL means the registry that is published to.</summary>
    public bool IsOwn(string url) => TryFind(_own, url, out _);

    /// <summary>Whether dependencies may live in the registry of that URL; if so, the URL in the policy's own spelling, which is what index lines get.</summary>
    public bool Allows(string url, [NotNullWhen(true)] out string? spelling) => TryFind(_allowed, url, out spelling);

    private static bool TryFind(FrozenDictionary<string, string> urls, string url, [NotNullWhen(true)] out string? spelling) =>
        // The spelling cargo sends is nearly always the configured one; only another needs to be taken apart.
        urls.TryGetValue(url, out spelling) || urls.TryGetValue(IndexUrl.ToKey(url), out spelling);

    private static FrozenDictionary<string, string> ByEverySpelling(IEnumerable<string> urls)
    {
        var spellings = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var url in urls)
        {
            if (url.Length == 0)
                continue;
            spellings.TryAdd(url, url);
            spellings.TryAdd(IndexUrl.ToKey(url), url);
        }

        return spellings.ToFrozenDictionary(StringComparer.Ordinal);
    }
}
