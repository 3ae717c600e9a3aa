using Pipeline.Contracts;

namespace Pipeline.Registry.Telemetry;

/// <summary>What a process says of itself, and to whom. Section <c>Telemetry</c>.</summary>
public sealed record TelemetryOptions
{
    /// <summary>Where traces, metrics and logs go: the base URL of an OTLP receiver (http/protobuf). Null: nowhere, and nothing is made for it.</summary>
    public Uri? OtlpEndpoint { get; init; }

    /// <summary>Headers for that receiver, such as <c>Authorization=Bearer …</c>; several are parted by commas.</summary>
    public Secret? OtlpHeaders { get; init; }

    /// <summary>Seconds from one export of metrics to the next.</summary>
    public double ExportSeconds { get; init; } = 15;

    /// <summary>The share of traces that is kept, 0 to 1. What was decided at the PUT holds for all its spans.</summary>
    public double SamplingRatio { get; init; } = 1;

    /// <summary>The same for what only reads over HTTP, which is far more than all else.</summary>
    public double ReadSamplingRatio { get; init; } = 0.01;

    /// <summary>The log on standard error: <c>text</c>, one line for people, or <c>json</c>, one object a line.</summary>
    public string LogFormat { get; init; } = "text";

    /// <summary>The service's name in traces, metrics and logs; the process's role is added to it as <c>service.role</c>.</summary>
    public string ServiceName { get; init; } = "pipeline";

    /// <summary>Whether the HTTP server's and client's, the drivers' and the bus's own meters are measured too. They cost each request a little.</summary>
    public bool LibraryMeters { get; init; }

    /// <summary>A port of its own for <c>/metrics</c> and <c>/healthz</c>, for processes that serve no API; 0: any free one. Null: none.</summary>
    public int? MetricsPort { get; init; }

    /// <summary>The address that port listens on.</summary>
    public string MetricsListen { get; init; } = "127.0.0.1";

    /// <summary>Says what does not hold; null: all does.</summary>
    internal string? Problem() => this switch
    {
        { LogFormat: not ("text" or "json") } => "Telemetry:LogFormat is text or json",
        { SamplingRatio: not (>= 0 and <= 1) } => "Telemetry:SamplingRatio is a number from 0 to 1",
        { ReadSamplingRatio: not (>= 0 and <= 1) } => "Telemetry:ReadSamplingRatio is a number from 0 to 1",
        { ExportSeconds: not (>= 0.1 and <= 3600) } => "Telemetry:ExportSeconds is a number from 0.1 to 3600",
        { OtlpEndpoint: { } uri } when !uri.IsAbsoluteUri || uri.Scheme is not ("http" or "https") => "Telemetry:OtlpEndpoint is an http or https URL",
        { OtlpHeaders: { } headers } when !AreHeaders(headers.Reveal()) => "Telemetry:OtlpHeaders is a list such as `name=value,other=value`: each part has a name, `=` and a value",
        { ServiceName: "" } => "Telemetry:ServiceName is not empty",
        { MetricsPort: < 0 or > 65535 } => "Telemetry:MetricsPort is a number from 0 to 65535",
        _ when !System.Net.IPAddress.TryParse(MetricsListen, out _) => "Telemetry:MetricsListen is an IP address",
        _ => null,
    };

    // The exporter ends the process for any other.
    private static bool AreHeaders(string text) => text.Split(',').All(static part =>
        part.Split('=', 2) is [var name, var value] && name.Trim() is { Length: > 0 } trimmed && trimmed.All(static c => char.IsAsciiLetterOrDigit(c) || "!#$%&'*+-.^_`|~".Contains(c, StringComparison.Ordinal))
        && !value.Any(char.IsControl));
}
