using Pipeline.Bench.Crates;
using Pipeline.Bench.Measuring;

namespace Pipeline.Bench.Publishing;

/// <summary>One measured load, and what its limits need to know of it.</summary>
/// <param name="Name">What it was.</param>
/// <param name="Clients">How many clients published at once.</param>
/// <param name="Requests">What they published.</param>
/// <param name="Tips">The tips of the git index: before it, and after each of its batches.</param>
/// <param name="CpuMilliseconds">The server's CPU per publish.</param>
internal sealed record Phase(string Name, int Clients, IReadOnlyList<PublishRequest> Requests, IReadOnlyList<string> Tips, double CpuMilliseconds)
{
    /// <summary>Publishes, waits until every projection has them, and reports.</summary>
    public static async Task<Phase> RunAsync(IServer server, Projections projections, Report report, string name, PublishRequest[] requests, int clients)
    {
        Report.Say(name);
        var firstCrate = await projections.NextCrateAsync();
        using var tips = new TipWatcher(server.GitIndex);
        var countersBefore = WorkCounters.Read(server);
        var before = server.CpuSeconds();
        var servicesBefore = server.ServicesCpu();
        var load = Load.Run(server.Port, requests, clients);
        var backlog = await projections.BehindAsync();
        var drain = await projections.WaitAsync();
        // The last git has ended when its commits are recorded; its CPU is counted either way.
        var cpu = (server.CpuSeconds() - before) * 1000 / requests.Length;
        var services = server.ServicesCpu().Zip(servicesBefore, (now, then) => (now.Name, Milliseconds: (now.Seconds - then.Seconds) * 1000 / requests.Length)).ToList();
        tips.Dispose();
        var counters = WorkCounters.Read(server);

        report.Add(new Measured($"{name}: publishes", requests.Length / (load.Seconds + drain), "1/s", Figure: clients == 1 || services.Count > 0 ? null : clients > 8 ? ">= 1000" : ">= 800"));
        report.Add(new Measured($"{name}: server CPU per publish", cpu, "ms"));
        foreach (var (service, milliseconds) in services) report.Add(new Measured($"{name}: {service} CPU per publish", milliseconds, "ms"));
        report.Add(new Measured($"{name}: PUT p50", Percentiles.Of(load.Milliseconds, 0.5), "ms"));
        report.Add(new Measured($"{name}: PUT p99", Percentiles.Of(load.Milliseconds, 0.99), "ms"));
        report.Add(new Measured($"{name}: projections behind after the last PUT", backlog, "rows"));
        report.Add(new Measured($"{name}: drained after", drain, "s"));
        report.Add(new Measured($"{name}: git commits per batch", requests.Length / (double)Math.Max(1, tips.Tips.Count - 1), "commits"));
        foreach (var (counter, value) in counters) report.Add(new Measured($"{name}: {counter} per publish", (value - countersBefore.GetValueOrDefault(counter)) / requests.Length, ""));
        if (await projections.NextCrateAsync() > firstCrate)
        {
            var lag = await projections.LagAsync("git", firstCrate);
            report.Add(new Measured($"{name}: version recorded -> git commit, p50", lag.Half, "ms"));
            report.Add(new Measured($"{name}: version recorded -> git commit, p99", lag.Most, "ms"));
        }

        return new Phase(name, clients, requests, tips.Tips, cpu);
    }
}
