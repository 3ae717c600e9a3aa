using System.Diagnostics;
using OpenTelemetry.Trace;

namespace Pipeline.Registry.Telemetry;

/// <summary>
/// Decides which traces are kept, at their first span. What only reads over HTTP has a ratio of its own. What no request or bell caused
/// (the polls of the database that every process makes) begins no trace.
/// </summary>
/// <param name="ratio">The share kept of everything else.</param>
/// <param name="readRatio">The share kept of GET and HEAD requests.</param>
internal sealed class TraceSampler(double ratio, double readRatio) : Sampler
{
    private static readonly SamplingResult Drop = new(SamplingDecision.Drop);

    private readonly TraceIdRatioBasedSampler _all = new(ratio);
    private readonly TraceIdRatioBasedSampler _reads = new(readRatio);

    /// <inheritdoc/>
    public override SamplingResult ShouldSample(in SamplingParameters samplingParameters) => samplingParameters.Kind switch
    {
        ActivityKind.Client => Drop,
        ActivityKind.Server when Reads(samplingParameters.Tags) => _reads.ShouldSample(samplingParameters),
        _ => _all.ShouldSample(samplingParameters),
    };

    private static bool Reads(IEnumerable<KeyValuePair<string, object?>>? tags)
    {
        foreach (var tag in tags ?? [])
        {
            if (tag.Key == "http.request.method") return tag.Value is "GET" or "HEAD";
        }

        return false;
    }
}
