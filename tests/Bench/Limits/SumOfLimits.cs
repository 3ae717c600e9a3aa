using Pipeline.Bench.Measuring;
using Pipeline.Bench.Publishing;

namespace Pipeline.Bench.Limits;

/// <summary>What the parts of a publish cost at the least, measured one by one in this run.</summary>
internal static class SumOfLimits
{
    /// <summary>Measures the limits of a phase and reports them; returns their sum in milliseconds of CPU per publish.</summary>
    public static async Task<double> MeasureAsync(Report report, IServer server, Phase phase)
    {
        Report.Say($"limits of: {phase.Name}");
        var archives = phase.Requests.Select(request => request.Archive).ToArray();
        var batches = Math.Max(1, phase.Tips.Count - 1);
        double sum = 0;
        Add("web server taking the body", SinkLimit.Measure(phase.Requests, phase.Clients));
        Add("gunzip + untar + SHA-256", UnpackLimit.Measure(archives));
        Add("bus hops", await BusLimit.MeasureAsync(archives.Length, phase.Clients, Math.Max(1, archives.Length / batches)));
        Add("git fast-import of the commits", ImportLimit.Measure(server.GitIndex, phase.Tips).CpuMilliseconds);
        Add("files written, synced, named", FileLimit.Measure(archives));
        Add("database transactions", await TransactionLimit.MeasureAsync(archives.Length, phase.Clients));
        report.Add(new Measured($"{phase.Name}: sum of limits", sum, "ms"));
        return sum;

        void Add(string name, double milliseconds)
        {
            sum += milliseconds;
            report.Add(new Measured($"{phase.Name}: limit: {name}", milliseconds, "ms"));
        }
    }
}
