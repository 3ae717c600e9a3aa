using Amazon.Runtime;
using Amazon.S3;
using Pipeline.Contracts;
using Pipeline.Registry.Store;

namespace Pipeline.Tests.Services;

/// <summary>Two buckets of a test's own on a real S3 server, with the policy that <c>ops/services</c> gives its own.</summary>
public sealed class S3Buckets : IAsyncDisposable
{
    private readonly AmazonS3Client _client;

    private readonly bool _isShared;

    private S3Buckets(S3Options options, bool isShared)
    {
        (Options, _isShared) = (options, isShared);
        _client = new AmazonS3Client(new BasicAWSCredentials(options.AccessKey!.Reveal(), options.SecretKey!.Reveal()), new AmazonS3Config
        {
            ServiceURL = options.Endpoint,
            ForcePathStyle = true,
            AuthenticationRegion = options.Region,
            RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED,
            ResponseChecksumValidation = ResponseChecksumValidation.WHEN_REQUIRED,
        });
    }

    /// <summary>How a process is configured for them.</summary>
    public S3Options Options { get; }

    /// <summary>Makes them, on the shared server unless another is given.</summary>
    public static async Task<S3Buckets> CreateAsync(RealServices? services = null)
    {
        var isShared = services is null;
        services ??= await RealServices.SharedAsync("s3");
        var name = $"test-{Guid.NewGuid():n}";
        var buckets = new S3Buckets(new S3Options
        {
            Endpoint = services["PIPELINE__Store__S3__Endpoint"],
            Bucket = name,
            StagingBucket = name + "-staging",
            AccessKey = new Secret(services["PIPELINE__Store__S3__AccessKey"]),
            SecretKey = new Secret(services["PIPELINE__Store__S3__SecretKey"]),
            CacheTags = true,
            SurrogateKeys = true,
        }, isShared);
        await buckets._client.PutBucketAsync(name);
        await buckets._client.PutBucketAsync(name + "-staging");
        await buckets._client.PutBucketPolicyAsync(name, $$"""
            {"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject",
            "Resource":["arn:aws:s3:::{{name}}/crates/*","arn:aws:s3:::{{name}}/index/*"]}]}
            """);
        return buckets;
    }

    /// <summary>The URL that a stranger would ask for; the key as it is to stand there.</summary>
    public Uri Url(string escapedKey) => new($"{Options.Endpoint}/{(escapedKey.StartsWith("staging/", StringComparison.Ordinal) ? Options.StagingBucket : Options.Bucket)}/{escapedKey}");

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        // A server of the test's own ends with its buckets.
        foreach (var bucket in _isShared ? [Options.Bucket!, Options.StagingBucket!] : Array.Empty<string>())
        {
            for (string? next = null; ;)
            {
                var page = await _client.ListObjectsV2Async(new() { BucketName = bucket, ContinuationToken = next });
                if (page.S3Objects is { Count: > 0 } found) await _client.DeleteObjectsAsync(new() { BucketName = bucket, Objects = [.. found.Select(one => new Amazon.S3.Model.KeyVersion { Key = one.Key })] });
                if (page.IsTruncated != true) break;
                next = page.NextContinuationToken;
            }

            await _client.DeleteBucketAsync(bucket);
        }

        _client.Dispose();
    }
}
