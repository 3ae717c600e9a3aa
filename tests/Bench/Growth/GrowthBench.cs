using Pipeline.Bench.Crates;
using Pipeline.Bench.Measuring;
using Pipeline.Bench.Publishing;

namespace Pipeline.Bench.Growth;

/// <summary>
/// <c>growth</c>: the CPU of a publish while the registry grows: from 2,000 crates to 200,000, then by a million old publishes and changes, and
/// for a crate of 2,000 versions. What is old is inserted, not published; both indexes are made of it by a rebuild.
/// </summary>
internal static class GrowthBench
{
    private const int Small = 2_000;
    private const int Clients = 8;
    private const int WarmCrates = 100;
    private const string Figure = "<= 1.15 x";

    /// <summary>Runs it: <c>--crates N</c> crates in the end, <c>--rows N</c> old publishes and changes, <c>--publishes N</c> a measurement, <c>--database sqlite|postgres</c> for one engine.</summary>
    public static async Task RunAsync(Arguments arguments, Report report)
    {
        var database = arguments.Text("database");
        if (database is not (null or "sqlite" or "postgres")) throw new ArgumentException($"--database is sqlite or postgres, not {database}");
        if (database != "postgres") await RunAsync(arguments, report, onPostgres: false);
        if (database != "sqlite") await RunAsync(arguments, report, onPostgres: true);
    }

    private static async Task RunAsync(Arguments arguments, Report report, bool onPostgres)
    {
        var (crates, rows, count) = (arguments.Number("crates", 200_000), arguments.Number("rows", 1_000_000), arguments.Number("publishes", 1500));
        using var server = new StandaloneServer(arguments.Text("server"), onPostgres);
        await using var projections = new Projections(server);
        var (database, connection) = server.OpenDatabase();
        await using var _ = connection;
        var old = new OldRows(database);
        var run = new Measurement(server, projections, report, onPostgres ? "PostgreSQL" : "SQLite", server.NewToken("bench"));

        Report.Say($"{run.Engine}: {Small} crates");
        await old.AddCratesAsync(Small);
        await old.RebuildAsync();
        Report.Say("warm-up");
        run.Publish("w", Enumerable.Range(0, WarmCrates * 30).Select(static i => (i % WarmCrates, $"1.0.{i / WarmCrates}")));
        await projections.WaitAsync();
        var first = await run.NewCratesAsync("a", $"{Small} crates", count, null);
        // As many versions of one crate as of the large one below, from its first on.
        var few = await run.OneCrateAsync("one", "one crate, from its first version on", count / 5, null);

        await old.AddCratesAsync(crates - Small);
        await old.RebuildAsync();
        await run.NewCratesAsync("b", $"{crates} crates", count, first);

        await old.AddPublishesAsync(rows);
        await run.NewCratesAsync("c", $"{crates} crates, {rows} old publishes and changes", count, first);

        run.Publish("big", [(0, "1.0.0")]);
        await projections.WaitAsync();
        await old.AddVersionsAsync(SampleCrates.Name("big", 0), 2000);
        await run.OneCrateAsync("big", "one crate, from its 2,000th version on", count / 5, few);
        report.Add(new Measured($"{run.Engine}: memory at the end", server.Memory().Now, "MiB"));
    }

    private sealed record Measurement(StandaloneServer Server, Projections Projections, Report Report, string Engine, string Token)
    {
        public void Publish(string series, IEnumerable<(int Number, string Version)> versions)
        {
            foreach (var some in versions.Chunk(500))
                Load.Run(Server.Port, [.. some.Select(one => PublishRequest.Make(SampleCrates.Name(series, one.Number), one.Version, Token))], Clients);
        }

        public async Task<double> NewCratesAsync(string series, string what, int count, double? first)
        {
            // The first publishes after so many rows read what no cache has yet.
            Publish($"{series}x", Enumerable.Range(0, count / 5).Select(static i => (i, "1.0.0")));
            return await MeasureAsync(series, what, Enumerable.Range(0, count).Select(static i => (i, "1.0.0")), first);
        }

        public Task<double> OneCrateAsync(string series, string what, int count, double? first) =>
            MeasureAsync(series, what, Enumerable.Range(1, count).Select(static i => (0, $"2.0.{i}")), first);

        private async Task<double> MeasureAsync(string series, string what, IEnumerable<(int Number, string Version)> versions, double? first)
        {
            Report.Say($"{Engine}: {what}");
            PublishRequest[] requests = [.. versions.Select(one => PublishRequest.Make(SampleCrates.Name(series, one.Number), one.Version, Token))];
            await Projections.WaitAsync();
            var before = Cpu();
            var load = Load.Run(Server.Port, requests, Clients);
            await Projections.WaitAsync();
            var milliseconds = (Cpu() - before) * 1000 / requests.Length;
            Report.Add(new Measured($"{Engine}, {what}: CPU per publish", milliseconds, "ms", first, first is null ? null : Figure));
            Report.Add(new Measured($"{Engine}, {what}: publishes", requests.Length / load.Seconds, "1/s"));
            return milliseconds;
        }

        private double Cpu() => Server.CpuSeconds() + Server.ServicesCpu().Sum(static service => service.Seconds);
    }
}
