using Amazon;
using Amazon.Runtime;
using Amazon.S3;

namespace Pipeline.Registry.Store;

/// <summary>The SDK's client with the settings that S3-compatible servers need, and without any retry or patience of its own: those are <see cref="S3Calls"/>'.</summary>
internal static class S3Client
{
    public static AmazonS3Client Create(S3Options options, S3Connections connections)
    {
        var config = new AmazonS3Config
        {
            AuthenticationRegion = options.Region,
            ForcePathStyle = options.PathStyle,
            // The SDK's own checksums go behind the body as trailers, which most servers but Amazon's refuse. Ours are SHA-256, signed.
            RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED,
            ResponseChecksumValidation = ResponseChecksumValidation.WHEN_REQUIRED,
            MaxErrorRetry = 0,
            MaxStaleConnectionRetries = 0,
            Timeout = Timeout.InfiniteTimeSpan,
            AllowAutoRedirect = false,
            IgnoreConfiguredEndpointUrls = true,
            DisableLogging = true,
            HttpClientFactory = connections,
        };
        if (options.Endpoint is null) config.RegionEndpoint = RegionEndpoint.GetBySystemName(options.Region);
        else config.ServiceURL = options.Endpoint;
        return (options.AccessKey, options.SecretKey, options.SessionToken) switch
        {
            (null, _, _) => new AmazonS3Client(config),
            var (access, secret, session) => session is null
                ? new AmazonS3Client(new BasicAWSCredentials(access.Reveal(), secret!.Reveal()), config)
                : new AmazonS3Client(new SessionAWSCredentials(access.Reveal(), secret!.Reveal(), session.Reveal()), config),
        };
    }
}
