using System.Globalization;
using System.Text;
using OpenTelemetry;
using OpenTelemetry.Metrics;

namespace Pipeline.Registry.Telemetry;

/// <summary>
/// The process's metrics in Prometheus's text format 0.0.4. Names follow OpenTelemetry's rules for Prometheus: dots become underscores,
/// the unit and, for counters, <c>total</c> are appended.
/// </summary>
[ExportModes(ExportModes.Pull)]
public sealed class PrometheusText : BaseExporter<Metric>, IPullMetricExporter
{
    /// <summary>The format's content type.</summary>
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    private const int PatienceMilliseconds = 10_000;

    private readonly Lock _gate = new();
    private string _text = "";

    /// <inheritdoc/>
    public Func<int, bool>? Collect { get; set; }

    /// <summary>Observes everything now and renders it.</summary>
    public string Scrape()
    {
        lock (_gate)
        {
            _ = Collect?.Invoke(PatienceMilliseconds);
            return _text;
        }
    }

    /// <inheritdoc/>
    public override ExportResult Export(in Batch<Metric> batch)
    {
        var text = new StringBuilder(16 * 1024);
        var named = new HashSet<string>(StringComparer.Ordinal);
        foreach (var metric in batch)
        {
            var (type, suffix) = Kind(metric.MetricType);
            if (type is null) continue;
            var name = NameOf(metric.Name, metric.Unit) + suffix;
            // That ending belongs to histograms.
            if (type == "gauge" && name.EndsWith("_count", StringComparison.Ordinal)) name = name[..^"_count".Length];
            // A family is described once, whatever number of meters share it.
            if (named.Add(name)) text.Append("# HELP ").Append(name).Append(' ').Append(Escape(Described(metric))).Append("\n# TYPE ").Append(name).Append(' ').Append(type).Append('\n');
            foreach (ref readonly var point in metric.GetMetricPoints()) Write(text, name, metric.MetricType, point);
        }

        _text = text.ToString();
        return ExportResult.Success;
    }

    /// <summary>The name of an instrument here, before a counter's ending.</summary>
    internal static string NameOf(string instrument, string unit)
    {
        var name = Sanitize(instrument);
        var ending = unit switch
        {
            "s" => "seconds",
            "ms" => "milliseconds",
            "By" => "bytes",
            "%" => "percent",
            _ => null,
        };
        return ending is null || name.EndsWith("_" + ending, StringComparison.Ordinal) ? name : $"{name}_{ending}";
    }

    private static (string? Type, string Suffix) Kind(MetricType type) => type switch
    {
        MetricType.Histogram => ("histogram", ""),
        MetricType.LongSum or MetricType.DoubleSum => ("counter", "_total"),
        MetricType.LongGauge or MetricType.DoubleGauge or MetricType.LongSumNonMonotonic or MetricType.DoubleSumNonMonotonic => ("gauge", ""),
        _ => (null, ""),
    };

    private static string Described(Metric metric) => metric.Description.Length == 0 ? metric.Name : metric.Description;

    private static void Write(StringBuilder text, string name, MetricType type, in MetricPoint point)
    {
        var labels = Labels(point);
        switch (type)
        {
            case MetricType.Histogram:
                WriteHistogram(text, name, labels, point);
                break;
            case MetricType.LongSum or MetricType.LongSumNonMonotonic:
                Line(text, name, labels, point.GetSumLong());
                break;
            case MetricType.DoubleSum or MetricType.DoubleSumNonMonotonic:
                Line(text, name, labels, point.GetSumDouble());
                break;
            case MetricType.LongGauge:
                Line(text, name, labels, point.GetGaugeLastValueLong());
                break;
            case MetricType.DoubleGauge:
                Line(text, name, labels, point.GetGaugeLastValueDouble());
                break;
        }
    }

    private static void WriteHistogram(StringBuilder text, string name, string labels, in MetricPoint point)
    {
        long below = 0;
        foreach (var bucket in point.GetHistogramBuckets())
        {
            below += bucket.BucketCount;
            var bound = double.IsPositiveInfinity(bucket.ExplicitBound) ? "+Inf" : bucket.ExplicitBound.ToString(CultureInfo.InvariantCulture);
            Line(text, name + "_bucket", labels.Length == 0 ? $"le=\"{bound}\"" : $"{labels},le=\"{bound}\"", below);
        }

        Line(text, name + "_sum", labels, point.GetHistogramSum());
        Line(text, name + "_count", labels, point.GetHistogramCount());
    }

    private static void Line(StringBuilder text, string name, string labels, double value)
    {
        text.Append(name);
        if (labels.Length > 0) text.Append('{').Append(labels).Append('}');
        text.Append(' ').Append(double.IsPositiveInfinity(value) ? "+Inf" : double.IsNegativeInfinity(value) ? "-Inf" : value.ToString(CultureInfo.InvariantCulture)).Append('\n');
    }

    private static string Labels(in MetricPoint point)
    {
        var text = new StringBuilder();
        foreach (var tag in point.Tags)
        {
            if (text.Length > 0) text.Append(',');
            var value = Convert.ToString(tag.Value, CultureInfo.InvariantCulture) ?? "";
            text.Append(Sanitize(tag.Key)).Append("=\"").Append(Escape(value).Replace("\"", "\\\"", StringComparison.Ordinal)).Append('"');
        }

        return text.ToString();
    }

    private static string Escape(string text) => text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);

    private static string Sanitize(string name) => string.Create(name.Length, name, static (span, source) =>
    {
        for (var i = 0; i < source.Length; i++) span[i] = char.IsAsciiLetterOrDigit(source[i]) ? source[i] : '_';
    });
}
