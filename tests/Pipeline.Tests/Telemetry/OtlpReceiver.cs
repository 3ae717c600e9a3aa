using System.Collections.Concurrent;
using System.IO.Compression;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Pipeline.Tests.Telemetry;

/// <summary>A span as it was received.</summary>
/// <param name="Name">Its name.</param>
/// <param name="TraceId">Its trace, hex.</param>
/// <param name="SpanId">Its id, hex.</param>
/// <param name="ParentId">Its parent's id; empty: it has none.</param>
/// <param name="Source">The source it comes from, such as <c>Pipeline</c> or <c>Npgsql</c>.</param>
/// <param name="Service">The process it comes from: <c>service.name</c>, <c>service.role</c> and <c>service.instance.id</c>, with blanks between.</param>
/// <param name="Attributes">Its attributes as text.</param>
/// <param name="Links">The traces it links to.</param>
/// <param name="IsError">Whether it failed.</param>
public sealed record ReceivedSpan(
    string Name, string TraceId, string SpanId, string ParentId, string Source, string Service,
    IReadOnlyDictionary<string, string> Attributes, IReadOnlyList<string> Links, bool IsError);

/// <summary>A log record as it was received.</summary>
/// <param name="Body">Its text.</param>
/// <param name="TraceId">Its trace, hex; empty: none.</param>
/// <param name="Category">Who wrote it.</param>
/// <param name="Attributes">Its attributes as text.</param>
public sealed record ReceivedLog(string Body, string TraceId, string Category, IReadOnlyDictionary<string, string> Attributes);

/// <summary>A metric as it was received.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Unit">Its unit.</param>
/// <param name="Meter">Its meter.</param>
/// <param name="Points">The attributes of its points.</param>
public sealed record ReceivedMetric(string Name, string Unit, string Meter, IReadOnlyList<IReadOnlyDictionary<string, string>> Points);

/// <summary>Takes what processes send over OTLP (http/protobuf) on a port of its own, and keeps it all.</summary>
public sealed class OtlpReceiver : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentQueue<ReceivedSpan> _spans = new();
    private readonly ConcurrentQueue<ReceivedLog> _logs = new();
    private readonly ConcurrentQueue<ReceivedMetric> _metrics = new();
    private readonly ConcurrentQueue<byte[]> _raw = new();
    private readonly ConcurrentDictionary<string, string> _headers = new();

    private OtlpReceiver(WebApplication app) => _app = app;

    /// <summary>The base URL, for <c>Telemetry:OtlpEndpoint</c>.</summary>
    public string Url => _app.Urls.First();

    /// <summary>The configuration that sends everything here at once.</summary>
    public IEnumerable<(string Key, string Value)> Configuration => [("Telemetry:OtlpEndpoint", Url), ("Telemetry:ExportSeconds", "0.3")];

    /// <summary>The spans so far.</summary>
    public IReadOnlyList<ReceivedSpan> Spans => [.. _spans];

    /// <summary>The log records so far.</summary>
    public IReadOnlyList<ReceivedLog> Logs => [.. _logs];

    /// <summary>The metrics so far; one that is exported again stands here again.</summary>
    public IReadOnlyList<ReceivedMetric> Metrics => [.. _metrics];

    /// <summary>The headers of the last request.</summary>
    public IReadOnlyDictionary<string, string> Headers => _headers;

    /// <summary>The unpacked bodies of all requests: what to search for what must not be in them.</summary>
    public IReadOnlyList<byte[]> Raw => [.. _raw];

    /// <summary>Starts one.</summary>
    public static async Task<OtlpReceiver> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var receiver = new OtlpReceiver(builder.Build());
        receiver._app.MapPost("/v1/{signal}", receiver.TakeAsync);
        await receiver._app.StartAsync();
        return receiver;
    }

    /// <summary>The spans of one trace.</summary>
    public IReadOnlyList<ReceivedSpan> Trace(string traceId) => [.. _spans.Where(span => span.TraceId == traceId)];

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task<IResult> TakeAsync(string signal, HttpRequest request)
    {
        using var body = new MemoryStream();
        if (request.Headers.ContentEncoding == "gzip")
        {
            await using var unpacked = new GZipStream(request.Body, CompressionMode.Decompress);
            await unpacked.CopyToAsync(body);
        }
        else
        {
            await request.Body.CopyToAsync(body);
        }

        foreach (var (name, value) in request.Headers) _headers[name] = value.ToString();
        _raw.Enqueue(body.ToArray());
        foreach (var resource in new Protobuf(body.ToArray()).Messages(1)) Take(signal, resource);
        return Results.Bytes([], "application/x-protobuf");
    }

    private void Take(string signal, Protobuf resource)
    {
        var of = resource.Message(1).Attributes(1);
        var service = string.Join(' ', new[] { "service.name", "service.role", "service.instance.id" }.Select(key => of.GetValueOrDefault(key, "-")));
        foreach (var scope in resource.Messages(2))
        {
            var source = scope.Message(1).Text(1);
            foreach (var item in scope.Messages(2))
            {
                switch (signal)
                {
                    case "traces":
                        _spans.Enqueue(Span(item, source, service));
                        break;
                    case "logs":
                        _logs.Enqueue(new ReceivedLog(item.Message(5).Text(1), item.Hex(9), source, item.Attributes(6)));
                        break;
                    case "metrics":
                        _metrics.Enqueue(Metric(item, source));
                        break;
                    default:
                        throw new InvalidDataException($"signal {signal}");
                }
            }
        }
    }

    private static ReceivedSpan Span(Protobuf span, string source, string service) => new(
        span.Text(5), span.Hex(1), span.Hex(2), span.Hex(4), source, service, span.Attributes(9),
        [.. span.Messages(13).Select(link => link.Hex(1))], span.Message(15).Number(3) == 2);

    // Gauge 5 and sum 7 have points with attributes in field 7, histogram 9 in field 9.
    private static ReceivedMetric Metric(Protobuf metric, string meter) => new(
        metric.Text(1), metric.Text(3), meter,
        [.. new (int Data, int Attributes)[] { (5, 7), (7, 7), (9, 9) }.SelectMany(kind => metric.Message(kind.Data).Messages(1).Select(point => point.Attributes(kind.Attributes)))]);
}
