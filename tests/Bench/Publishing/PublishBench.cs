using Pipeline.Bench.Crates;
using Pipeline.Bench.Limits;
using Pipeline.Bench.Measuring;

namespace Pipeline.Bench.Publishing;

/// <summary>
/// <c>publish</c>: what a publish of a 5 KB crate costs the whole server, from the PUT to its sparse line and git commit, beside the sum of what
/// its parts cost at the least, and how long it takes.
/// </summary>
internal static class PublishBench
{
    private const int ManyClients = 8;
    private const int MostClients = 32;
    private const int Existing = 100;
    private const int IdlePublishes = 300;

    /// <summary>Runs it: <c>--crates N</c> publishes a phase, <c>--long N</c> one more phase of so many at the end, <c>--no-limits</c> leaves the limits out, <c>--server COMMAND</c> measures another build, <c>--shape distributed</c> an API and a worker process over real services; the limits are those of one process.</summary>
    public static async Task RunAsync(Arguments arguments, Report report)
    {
        var count = arguments.Number("crates", 4000);
        using IServer server = arguments.Text("shape") switch
        {
            null or "standalone" => new StandaloneServer(arguments.Text("server")),
            "distributed" => new DistributedServer(arguments.Text("server")),
            var other => throw new ArgumentException($"--shape is standalone or distributed, not {other}"),
        };
        await using var projections = new Projections(server);
        var token = server.NewToken("bench");
        await Task.Delay(TimeSpan.FromSeconds(3));
        report.Add(new Measured("memory, idle after start", server.Memory().Now, "MiB", Figure: "<= 120"));

        Report.Say("warm-up");
        // The tiers of the compiler: what runs often is compiled again, twice, in the background.
        var warm = Requests("w", Existing + 3000, token);
        for (var from = 0; from < warm.Length; from += 500) Load.Run(server.Port, warm[from..Math.Min(from + 500, warm.Length)], ManyClients);
        await projections.WaitAsync();
        Load.RunIdle(server.Port, Requests("v", 100, token), TimeSpan.Zero);
        await projections.WaitAsync();

        Report.Say("one publish at a time");
        var idle = Load.RunIdle(server.Port, Requests("i", IdlePublishes, token), TimeSpan.FromMilliseconds(15));
        await projections.WaitAsync();
        report.Add(new Measured("PUT sent -> index line readable, idle, p50", Percentiles.Of(idle, 0.5), "ms", Figure: "<= 6"));
        report.Add(new Measured("PUT sent -> index line readable, idle, p99", Percentiles.Of(idle, 0.99), "ms", Figure: "<= 20"));

        var one = await Phase.RunAsync(server, projections, report, "1 client, new crates", Requests("a", Math.Max(count / 4, 500), token), 1);
        var many = await Phase.RunAsync(server, projections, report, "8 clients, new crates", Requests("b", count, token), ManyClients);
        await Phase.RunAsync(server, projections, report, $"{MostClients} clients, new crates", Requests("c", count, token), MostClients);
        var versions = Enumerable.Range(0, count).Select(i => PublishRequest.Make(warm[i % Existing].Name, $"1.1.{i / Existing}", token)).ToArray();
        await Phase.RunAsync(server, projections, report, $"8 clients, versions of {Existing} crates", versions, ManyClients);

        if (arguments.Number("long", 0) is > 0 and var longRun) await RunLongAsync(server, projections, report, longRun, token);
        await Task.Delay(TimeSpan.FromSeconds(3));
        var (now, peak) = server.Memory();
        report.Add(new Measured("memory, idle after the load", now, "MiB"));
        report.Add(new Measured("memory, peak", peak, "MiB"));
        if (arguments.Has("no-limits")) return;

        var limitOfOne = await SumOfLimits.MeasureAsync(report, server, one);
        var limitOfMany = await SumOfLimits.MeasureAsync(report, server, many);
        report.Add(new Measured("CPU per publish, 1 client", one.CpuMilliseconds, "ms", limitOfOne, "<= 1.3 x"));
        report.Add(new Measured("CPU per publish, 8 clients", many.CpuMilliseconds, "ms", limitOfMany, "<= 1.3 x, aim 1.5 ms"));
    }

    /// <summary>A long run, of which the first and the last minute are told: what grows with the registry shows between them.</summary>
    private static async Task RunLongAsync(IServer server, Projections projections, Report report, int count, string token)
    {
        const int Part = 1000;
        Report.Say($"{count} publishes");
        var parts = new List<(double Seconds, double Cpu)>();
        for (var from = 0; from < count; from += Part)
        {
            var cpu = server.CpuSeconds();
            var load = Load.Run(server.Port, [.. Enumerable.Range(from, Math.Min(Part, count - from)).Select(i => PublishRequest.Make(SampleCrates.Name("l", i), "1.0.0", token))], ManyClients);
            parts.Add((load.Seconds, server.CpuSeconds() - cpu));
        }

        await projections.WaitAsync();
        foreach (var (name, minute) in new[] { ("first", Minute(parts)), ("last", Minute(Enumerable.Reverse(parts))) })
        {
            report.Add(new Measured($"{count} publishes, {name} minute: publishes", minute.Count * Part / minute.Sum(static part => part.Seconds), "1/s"));
            report.Add(new Measured($"{count} publishes, {name} minute: server CPU per publish", minute.Sum(static part => part.Cpu) * 1000 / (minute.Count * Part), "ms"));
        }
    }

    private static List<(double Seconds, double Cpu)> Minute(IEnumerable<(double Seconds, double Cpu)> parts)
    {
        var (minute, seconds) = (new List<(double Seconds, double Cpu)>(), 0.0);
        foreach (var part in parts.TakeWhile(_ => seconds < 60))
        {
            minute.Add(part);
            seconds += part.Seconds;
        }

        return minute;
    }

    private static PublishRequest[] Requests(string series, int count, string token) =>
        [.. Enumerable.Range(0, count).Select(i => PublishRequest.Make(SampleCrates.Name(series, i), "1.0.0", token))];
}
