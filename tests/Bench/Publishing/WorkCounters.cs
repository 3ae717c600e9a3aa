using System.Globalization;

namespace Pipeline.Bench.Publishing;

/// <summary>How much of what a server has done so far, by the counters of its metrics, over all its processes.</summary>
internal static class WorkCounters
{
    // Those that a publish is measured by, as they are printed.
    private static readonly (string Metric, string Name)[] Known =
    [
        ("pipeline_database_statements_total", "SQL statements"), ("pipeline_database_reads_total", "reads of the database"),
        ("pipeline_database_writes_total", "write transactions"), ("pipeline_database_commits_total", "commits"),
        ("pipeline_database_commits_total{synced=\"yes\"}", "commits that were synced"), ("pipeline_bus_messages_total", "messages"),
        ("pipeline_store_requests_total", "requests to the store"), ("pipeline_store_syncs_total", "syncs of the store"),
    ];

    /// <summary>Reads them; a build that does not count something leaves it out.</summary>
    public static Dictionary<string, double> Read(IServer server)
    {
        using var http = new HttpClient();
        var sums = new Dictionary<string, double>();
        foreach (var port in server.MetricsPorts)
        {
            var text = http.GetStringAsync(new Uri($"http://127.0.0.1:{port}/metrics")).GetAwaiter().GetResult();
            foreach (var line in text.Split('\n'))
            {
                var space = line.LastIndexOf(' ');
                if (space < 0 || line[0] == '#') continue;
                var series = line[..space];
                foreach (var (metric, name) in Known.Where(known => series == known.Metric || (known.Metric.EndsWith("_total", StringComparison.Ordinal) && series.StartsWith(known.Metric + "{", StringComparison.Ordinal))))
                    sums[name] = sums.GetValueOrDefault(name) + double.Parse(line[(space + 1)..], CultureInfo.InvariantCulture);
            }
        }

        return sums;
    }
}
