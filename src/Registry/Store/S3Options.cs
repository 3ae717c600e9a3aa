using Pipeline.Contracts;

namespace Pipeline.Registry.Store;

/// <summary>An S3 server and two buckets there. Section <c>Store:S3</c>.</summary>
public sealed record S3Options
{
    /// <summary>The server's URL; null: Amazon's own, of the region.</summary>
    public string? Endpoint { get; init; }

    /// <summary>The region that requests are signed for.</summary>
    public string Region { get; init; } = "us-east-1";

    /// <summary>The bucket of crate files, records and index files. Of these the prefixes <c>crates/</c> and <c>index/</c> may be public.</summary>
    public string? Bucket { get; init; }

    /// <summary>The bucket of uploads that no verdict was reached on: private.</summary>
    public string? StagingBucket { get; init; }

    /// <summary>The access key; null: as Amazon's tools find theirs (environment, profile, machine role).</summary>
    public Secret? AccessKey { get; init; }

    /// <summary>The secret key that belongs to it.</summary>
    public Secret? SecretKey { get; init; }

    /// <summary>The session's token, where the two keys are temporary.</summary>
    public Secret? SessionToken { get; init; }

    /// <summary>Whether the bucket stands in the URL's path (<c>host/bucket/key</c>) and not in its host.</summary>
    public bool PathStyle { get; init; } = true;

    /// <summary>After so many seconds without an answer, or without the next bytes of one, the store counts as away; a request's body adds a second per MiB.</summary>
    public double TimeoutSeconds { get; init; } = 10;

    /// <summary>How often a request is tried in all while the store does not answer or answers 5xx.</summary>
    public int Attempts { get; init; } = 3;

    /// <summary>Whether objects carry their cache tags as metadata <c>cache-tags</c>, separated by commas.</summary>
    public bool CacheTags { get; init; }

    /// <summary>Whether objects carry their cache tags as metadata <c>surrogate-key</c>, separated by blanks.</summary>
    public bool SurrogateKeys { get; init; }

    /// <summary>The <c>Cache-Control</c> of sparse index files.</summary>
    public string IndexCacheControl { get; init; } = ObjectHeaders.IndexCacheControl;

    /// <summary>The folder where crate files too large for memory are collected between staging and their final key; null: the system's.</summary>
    public string? TemporaryFolder { get; init; }

    /// <summary>What a try may take before it counts as failed.</summary>
    internal TimeSpan Timeout => TimeSpan.FromSeconds(TimeoutSeconds);

    /// <summary>Stops a start that could not work later.</summary>
    /// <exception cref="InvalidOperationException">A key is missing or has no usable value; the text names it.</exception>
    public void Check()
    {
        Require(Bucket is { Length: >= 3 }, nameof(Bucket), "must name a bucket");
        Require(StagingBucket is { Length: >= 3 }, nameof(StagingBucket), "must name a bucket that nobody but the registry can read");
        Require(
            Endpoint is null || (Uri.TryCreate(Endpoint, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https" && uri.UserInfo.Length == 0 && uri.Query.Length == 0),
            nameof(Endpoint), "must be an http or https URL without a name, a password or a query");
        Require(AccessKey is null == SecretKey is null, nameof(SecretKey), "must be given together with AccessKey, or neither");
        Require(SessionToken is null || SecretKey is not null, nameof(SessionToken), "needs AccessKey and SecretKey");
        Require(TimeoutSeconds is > 0 and <= 3600, nameof(TimeoutSeconds), "must be more than 0 and at most 3600");
        Require(Attempts is >= 1 and <= 20, nameof(Attempts), "must be 1 to 20");
        Require(Region.Length > 0, nameof(Region), "must name a region");
    }

    private static void Require(bool holds, string key, string rule)
    {
        if (!holds) throw new InvalidOperationException($"Store:S3:{key} {rule}");
    }
}
