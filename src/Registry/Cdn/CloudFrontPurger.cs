using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Xml;

namespace Pipeline.Registry.Cdn;

/// <summary>
/// CloudFront's CreateInvalidation (crates-io-behaviour §4.6): up to 1,000 paths a call, of which 3,000 may be in progress; beyond that it
/// asks to wait. No wildcards are sent: 15 of them would be the limit, and a path names one file. Surrogate keys go as <c>#key</c>.
/// </summary>
public sealed class CloudFrontPurger(CdnTarget target) : ICachePurger
{
    private const string Api = "https://cloudfront.amazonaws.com";
    private const string Version = "2020-05-31";
    private const string Namespace = "http://cloudfront.amazonaws.com/doc/2020-05-31/";
    private const int MostPaths = 1000;

    // An invalidation takes minutes, so a shorter wait is a wasted call.
    private static readonly TimeSpan BusyWait = TimeSpan.FromSeconds(30);

    private readonly string _url = $"{(target.Endpoint ?? Api).TrimEnd('/')}/{Version}/distribution/{target.DistributionId}/invalidation";

    /// <inheritdoc/>
    public IReadOnlyList<PurgeRequest> Plan(IReadOnlyList<PurgeItem> items)
    {
        ArgumentNullException.ThrowIfNull(items);
        return
        [
            .. Batches.Of(items, MostPaths, int.MaxValue, item => (Paths(item).Count, 0))
                .Select(batch => new PurgeRequest(batch, "POST", _url) { Body = Body(batch), ContentType = "application/xml" }),
        ];
    }

    /// <inheritdoc/>
    public IReadOnlyList<(string Name, string Value)> Sign(PurgeRequest request, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(request);
        var credentials = new AwsCredentials(target.AccessKey!, target.SecretKey!, target.SessionToken);
        return AwsSignature.Headers(credentials, target.Region, "cloudfront", request.Method, new Uri(request.Url), [("content-type", request.ContentType!)], request.Body ?? [], now);
    }

    /// <inheritdoc/>
    public PurgeVerdict Judge(PurgeRequest request, CacheAnswer answer)
    {
        ArgumentNullException.ThrowIfNull(answer);
        var code = answer.Status >= 300 ? ErrorCode(answer.Body) : null;
        return code switch
        {
            "TooManyInvalidationsInProgress" => new(PurgeResult.Later, "cdn-too-many", "CloudFront has too many invalidations in progress", Longer(answer.RetryAfter)),
            "Throttling" or "ThrottlingException" or "RequestLimitExceeded" => new(PurgeResult.Later, "cdn-busy", $"CloudFront asks to wait ({code})", answer.RetryAfter),
            "NoSuchDistribution" => new(PurgeResult.Refused, "cdn-unknown-distribution", "CloudFront does not know the distribution"),
            _ => PurgeVerdict.OfStatus(answer) ?? new(PurgeResult.Unfit, "cdn-request", $"CloudFront refuses the invalidation ({answer.Status} {code})".Replace(" )", ")", StringComparison.Ordinal)),
        };
    }

    private static TimeSpan Longer(TimeSpan? said) => said is { } wait && wait > BusyWait ? wait : BusyWait;

    /// <summary>The paths of a purge, as clients spell them; CloudFront forgets no other spelling.</summary>
    private List<string> Paths(PurgeItem item) => item.Scope == PurgeScope.Key
        ? ["#" + item.Value]
        : [.. ServedUrls.Of(target, item.Value).Select(static url => url[url.IndexOf('/', url.IndexOf("://", StringComparison.Ordinal) + 3)..]).Distinct()];

    private byte[] Body(IReadOnlyList<PurgeItem> batch)
    {
        var paths = batch.SelectMany(Paths).Distinct().ToList();
        using var buffer = new MemoryStream();
        using (var xml = XmlWriter.Create(buffer, new XmlWriterSettings { Encoding = new UTF8Encoding(false) }))
        {
            xml.WriteStartElement("InvalidationBatch", Namespace);
            xml.WriteElementString("CallerReference", Reference(batch, paths));
            xml.WriteStartElement("Paths");
            xml.WriteElementString("Quantity", paths.Count.ToString(CultureInfo.InvariantCulture));
            xml.WriteStartElement("Items");
            foreach (var path in paths) xml.WriteElementString("Path", path);
            xml.WriteEndElement();
            xml.WriteEndElement();
            xml.WriteEndElement();
        }

        return buffer.ToArray();
    }

    /// <summary>The same rows sent again after a crash are the same invalidation to CloudFront; other rows for the same paths are not.</summary>
    private static string Reference(IReadOnlyList<PurgeItem> batch, List<string> paths)
    {
        var text = string.Join('\n', [.. batch.Select(static item => item.Id.ToString(CultureInfo.InvariantCulture)), "", .. paths]);
        return $"pipeline-{batch[0].Id}-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)).AsSpan(0, 16))}";
    }

    private static string? ErrorCode(string body)
    {
        try
        {
            using var xml = XmlReader.Create(new StringReader(body), new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit, XmlResolver = null });
            while (xml.Read())
            {
                if (xml is not { NodeType: XmlNodeType.Element, LocalName: "Code" }) continue;
                var code = xml.ReadElementContentAsString();
                // It goes into error texts: a word, or nothing.
                return code.Length <= 64 && code.All(char.IsAsciiLetterOrDigit) ? code : null;
            }
        }
        catch (XmlException)
        {
            // Not CloudFront's own answer, or cut off: the status says enough.
        }

        return null;
    }
}
