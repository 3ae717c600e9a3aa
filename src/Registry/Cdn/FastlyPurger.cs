using System.Text.Json;

namespace Pipeline.Registry.Cdn;

/// <summary>Fastly's purge API (crates-io-behaviour §4.6): a URL at a time, or up to 256 surrogate keys of a service at once.</summary>
public sealed class FastlyPurger(CdnTarget target) : ICachePurger
{
    private const string Api = "https://api.fastly.com";
    private const int MostKeys = 256;
    private const int MostKeyBytes = 16 * 1024;

    private readonly string _api = (target.Endpoint ?? Api).TrimEnd('/');

    /// <inheritdoc/>
    public IReadOnlyList<PurgeRequest> Plan(IReadOnlyList<PurgeItem> items)
    {
        ArgumentNullException.ThrowIfNull(items);
        var requests = new List<PurgeRequest>();
        foreach (var item in items.Where(static item => item.Scope == PurgeScope.Url))
        {
            // The cached URL without its scheme stands behind /purge/.
            foreach (var url in ServedUrls.Of(target, item.Value))
                requests.Add(new PurgeRequest([item], "POST", $"{_api}/purge/{url[(url.IndexOf("://", StringComparison.Ordinal) + 3)..]}") { Headers = Headers(item.Hard) });
        }

        foreach (var keys in Batches.OfKeys(items, MostKeys, MostKeyBytes))
        {
            requests.Add(new PurgeRequest(keys, "POST", $"{_api}/service/{target.ServiceId}/purge")
            {
                Headers = Headers(keys[0].Hard),
                Body = Body(keys),
                ContentType = "application/json",
            });
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
        return answer.Status == 404 && request.Items[0].Scope == PurgeScope.Key
            ? new PurgeVerdict(PurgeResult.Refused, "cdn-unknown-service", "Fastly does not know the service")
            : new PurgeVerdict(PurgeResult.Unfit, "cdn-request", $"Fastly refuses the purge ({answer.Status})");
    }

    private static byte[] Body(IReadOnlyList<PurgeItem> keys)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteStartArray("surrogate_keys");
            foreach (var key in keys.Select(static item => item.Value).Distinct()) json.WriteStringValue(key);
            json.WriteEndArray();
            json.WriteEndObject();
        }

        return buffer.ToArray();
    }

    private List<(string Name, string Value)> Headers(bool hard)
    {
        var headers = new List<(string Name, string Value)> { ("Accept", "application/json") };
        if (target.Token is { } token) headers.Add(("Fastly-Key", token.Reveal()));
        if (target.SoftPurge && !hard) headers.Add(("Fastly-Soft-Purge", "1"));
        return headers;
    }
}
