using Pipeline.Contracts;

namespace Pipeline.Registry.Options;

/// <summary>The registry itself: where it keeps things and what it calls itself. Section <c>Registry</c>.</summary>
public sealed record RegistryOptions
{
    /// <summary>The folder of the database, the objects and the git index in the standalone shape.</summary>
    public string Data { get; init; } = ".pipeline";

    /// <summary>The URL clients reach it by, without a trailing slash. It stands in <c>config.json</c>, so changing it changes the git index.</summary>
    public string PublicUrl { get; init; } = "http://127.0.0.1:7878";

    /// <summary>Whether reading needs a token too (<c>auth-required</c> in <c>config.json</c>).</summary>
    public bool AuthRequired { get; init; }

    /// <summary>Further URLs under which this registry's own index is known; a dependency that names one is here.</summary>
    public IReadOnlyList<string> OwnIndexUrls { get; init; } = [];

    /// <summary>The index URLs of other registries that dependencies may name. Empty entries are ignored; the default is crates.io.</summary>
    public IReadOnlyList<string> AllowedForeignIndexes { get; init; } = [WellKnownRegistries.CratesIoIndex];

    /// <summary>Origins of web pages that may call authenticated endpoints, besides <see cref="PublicUrl"/>.</summary>
    public IReadOnlyList<string> AllowedOrigins { get; init; } = [];

    /// <summary>Category slugs accepted besides the well-known ones.</summary>
    public IReadOnlyList<string> ExtraCategories { get; init; } = [];

    /// <summary>Checks them.</summary>
    /// <exception cref="InvalidOperationException">One does not hold; the message names its key.</exception>
    public RegistryOptions Check()
    {
        if (string.IsNullOrWhiteSpace(Data) || Data.Contains('\0', StringComparison.Ordinal)) throw new InvalidOperationException("Registry:Data names no folder");
        if (!Uri.TryCreate(PublicUrl, UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https") || url.UserInfo.Length > 0 || url.Query.Length > 0 || url.Fragment.Length > 0)
            throw new InvalidOperationException("Registry:PublicUrl is an http or https URL without user, query and fragment");
        return PublicUrl.EndsWith('/') ? throw new InvalidOperationException("Registry:PublicUrl is a URL without a slash at its end") : this;
    }

    /// <summary>Every URL that means this registry's own index: sparse and git.</summary>
    public IEnumerable<string> AllOwnIndexUrls => [$"sparse+{PublicUrl}/index/", $"{PublicUrl}/git/index", .. OwnIndexUrls];
}
