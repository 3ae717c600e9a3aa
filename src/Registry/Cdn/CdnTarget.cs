using Pipeline.Contracts;

namespace Pipeline.Registry.Cdn;

/// <summary>One cache to purge. Secrets cannot print themselves.</summary>
public sealed record CdnTarget
{
    /// <summary>Its name in rows, logs and <c>pipeline status</c>; open purges keep it, so it should not change.</summary>
    public string Name { get; init; } = "";

    /// <summary>How it is told to forget.</summary>
    public CdnKind Kind { get; init; }

    /// <summary>Every URL under which clients reach the index through it: index paths are put behind. Empty: it does not serve the index.</summary>
    public IReadOnlyList<string> IndexUrls { get; init; } = [];

    /// <summary>Every URL under which clients reach the files through it: <c>{crate}/{crate}-{version}.crate</c> is put behind. Empty: it serves none.</summary>
    public IReadOnlyList<string> FileUrls { get; init; } = [];

    /// <summary>For <c>purge</c>: the caches' own addresses, where these are not what the URLs name. Each is told, with the URL's host.</summary>
    public IReadOnlyList<string> Nodes { get; init; } = [];

    /// <summary>Whether the origin names surrogate keys, and purges go by key where they can.</summary>
    public bool SurrogateKeys { get; init; }

    /// <summary>Whether what is only changed may be served once more while it is fetched. What is removed is always forgotten at once.</summary>
    public bool SoftPurge { get; init; }

    /// <summary>Whether a fetch through the cache must show the new content. Not for CloudFront, which takes minutes.</summary>
    public bool Verify { get; init; }

    /// <summary>The longest the cache may wait for its origin; after it a key is purged again, since a fetch under way escapes a key purge.</summary>
    public double OriginTimeoutSeconds { get; init; } = 60;

    /// <summary>The most purges taken at once.</summary>
    public int BatchSize { get; init; } = 1000;

    /// <summary>How many requests are on their way side by side.</summary>
    public int Parallel { get; init; } = 8;

    /// <summary>The longest one request may take, in seconds.</summary>
    public double TimeoutSeconds { get; init; } = 10;

    /// <summary>For <c>purge</c>: the request's method.</summary>
    public string Method { get; init; } = "PURGE";

    /// <summary>For <c>purge</c>: the header that carries <see cref="Token"/>.</summary>
    public string TokenHeader { get; init; } = "X-Purge-Token";

    /// <summary>For <c>purge</c>: the header that lists surrogate keys, separated by blanks.</summary>
    public string KeyHeader { get; init; } = "Surrogate-Key";

    /// <summary>For <c>purge</c>: the header that asks for a soft purge with the value 1.</summary>
    public string SoftHeader { get; init; } = "Soft-Purge";

    /// <summary>For <c>purge</c> the shared secret, for <c>fastly</c> the API token.</summary>
    public Secret? Token { get; init; }

    /// <summary>For <c>fastly</c>: the service whose keys are purged.</summary>
    public string? ServiceId { get; init; }

    /// <summary>For <c>cloudfront</c>: the distribution.</summary>
    public string? DistributionId { get; init; }

    /// <summary>For <c>cloudfront</c>: the access key's id.</summary>
    public string? AccessKey { get; init; }

    /// <summary>For <c>cloudfront</c>: its secret.</summary>
    public Secret? SecretKey { get; init; }

    /// <summary>For <c>cloudfront</c>: the session token of temporary credentials.</summary>
    public Secret? SessionToken { get; init; }

    /// <summary>For <c>cloudfront</c>: the region that requests are signed for.</summary>
    public string Region { get; init; } = "us-east-1";

    /// <summary>Another address of the provider's API; none: the provider's own.</summary>
    public string? Endpoint { get; init; }
}
