namespace Pipeline.Workers.Manifests;

/// <summary>
/// Index URLs, compared as cargo compares them: a trailing slash and <c>.git</c> do not count, nor does case in the host or anywhere on GitHub
/// (cargo-client-behaviour §7). <c>sparse+</c> does count: cargo takes the same crates by two protocols as two registries.
/// </summary>
public static class IndexUrl
{
    private const string Sparse = "sparse+";

    /// <summary>Whether two URLs mean the same index.</summary>
    public static bool AreSame(string left, string right) => left == right || ToKey(left) == ToKey(right);

    /// <summary>The form in which two URLs of the same index are equal. For comparing only: it may not be a URL any more.</summary>
    public static string ToKey(string url)
    {
        var isSparse = url.StartsWith(Sparse, StringComparison.Ordinal);
        var plain = isSparse ? url[Sparse.Length..] : url;
        var isUri = Uri.TryCreate(plain, UriKind.Absolute, out var uri);
        // AbsoluteUri has scheme and host in lower case and no default port.
        var key = isUri ? uri!.AbsoluteUri : plain;
        if (key.EndsWith('/'))
            key = key[..^1];
        if (key.EndsWith(".git", StringComparison.Ordinal))
            key = key[..^4];
        if (isUri && uri!.Host == "github.com")
            key = key.ToLowerInvariant();
        return isSparse ? Sparse + key : key;
    }
}
