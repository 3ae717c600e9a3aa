using System.Diagnostics;
using Pipeline.Registry.Database;
using Pipeline.Registry.Failures;
using Pipeline.Tests.Chaos.Faults;
using Pipeline.Tests.Chaos.Laws;
using Pipeline.Tests.Chaos.Shapes;
using Pipeline.Tests.Chaos.Workload;

namespace Pipeline.Tests.Chaos;

/// <summary>One run: a registry is started, worked with and hurt; then all is mended, it comes to rest, and the laws are checked.</summary>
internal static class Run
{
    private const double MostMinutesOfWork = 15;
    private const double MostSecondsToRest = 120;

    // A bug that stops everything is seen soon, and waiting for it to mend itself shows nothing more.
    private const double MostMinutesWithABug = 2;
    private const double MostSecondsToRestWithABug = 30;
    private const int MostStepsWithABug = 300;

    /// <summary>Runs on one shape.</summary>
    /// <param name="shape">Its name.</param>
    /// <param name="seed">Where everything random comes from.</param>
    /// <param name="options">What is to be run.</param>
    /// <param name="plant">The bug to switch on; null: none.</param>
    public static async Task<RunResult> OnceAsync(string shape, int seed, ChaosOptions options, string? plant)
    {
        var clock = Stopwatch.StartNew();
        // Twice the plan: a fault that does not bite at once needs more work to come into.
        var steps = plant is null ? options.Publishes : Math.Min(options.Publishes, MostStepsWithABug);
        var plan = Plan.Make(seed, 2 * steps);
        var ledger = new Ledger();
        var tally = new Tally();
        var targets = options.Gentle || plant is not null ? FaultTargets.Gentle : FaultTargets.Full;
        Say($"{shape}: starting, seed {seed}{(plant is null ? "" : $", planted {plant}")}");
        if (shape == "standalone")
        {
            var standalone = await Standalone.StartAsync(plant);
            await using var fleet = standalone.Fleet;
            return await RunAsync(fleet, work => StandaloneFaults.Of(standalone, ledger, work, tally, targets, seed));
        }

        var distributed = await Distributed.StartAsync(plant);
        await using var many = distributed.Fleet;
        return await RunAsync(many, work => new DistributedFaults(distributed, ledger, work, plan).Of(tally, targets, seed));

        async Task<RunResult> RunAsync(Fleet fleet, Func<Work, IReadOnlyList<IReadOnlyList<Fault>>> faultsOf)
        {
            try
            {
                var database = fleet.OpenDatabase();
                await using var closing = (IAsyncDisposable)database;
                var lanes = faultsOf(new Work(database, ledger));
                await WorkAsync(fleet, plan, lanes, ledger, tally, steps, seed, plant is null ? MostMinutesOfWork : MostMinutesWithABug);
                foreach (var process in fleet.Processes.Where(process => process.IsArmed)) await process.KillAndStartAsync(TimeSpan.Zero);
                var rest = Stopwatch.StartNew();
                var waiting = await RestAsync(database, plant is null ? MostSecondsToRest : MostSecondsToRestWithABug);
                var drain = rest.Elapsed;
                Say($"{fleet.Shape}: at rest after {drain.TotalSeconds:0} s, reading what stands there");
                var evidence = await new Gathering(fleet).ReadAsync(waiting);
                var breaches = LawCheck.Check(ledger.Uploads, ledger.Yanks, [.. ledger.Wrong, .. fleet.Journal.Surprises], evidence);
                if (options.Keep && breaches.Count > 0) await File.WriteAllLinesAsync(Path.Combine(Path.GetTempPath(), $"chaos-{fleet.Shape}-{seed}.log"), fleet.Journal.Lines);
                return Result(fleet, ledger, tally, lanes, drain, clock.Elapsed, breaches, seed);
            }
            catch when (options.Keep)
            {
                await File.WriteAllLinesAsync(Path.Combine(Path.GetTempPath(), $"chaos-{fleet.Shape}-{seed}.log"), fleet.Journal.Lines);
                throw;
            }
        }
    }

    /// <summary>Says what is going on.</summary>
    public static void Say(string what) => Console.Error.WriteLine($"{DateTime.UtcNow:HH:mm:ss} {what}");

    private static async Task WorkAsync(Fleet fleet, IReadOnlyList<Step> plan, IReadOnlyList<IReadOnlyList<Fault>> lanes, Ledger ledger, Tally tally, int steps, int seed, double minutes)
    {
        using var ended = new CancellationTokenSource(TimeSpan.FromMinutes(minutes));
        using var seen = new CancellationTokenSource();
        var pace = new Pace(plan.Count);
        var client = new Client(fleet, await fleet.AddUserAsync("owner"), await fleet.AddUserAsync("stranger"), ledger, new Random(seed), ended.Token);
        var watching = new Watcher(fleet, ledger, plan, seed).WatchAsync(() => ledger.Done, seen.Token);
        var working = Crowd.WorkAsync(client, plan, pace);
        var burst = Math.Max(1, steps / lanes.Sum(lane => lane.Sum(fault => fault.Target)));
        Say($"{fleet.Shape}: serving; {lanes.Sum(lane => lane.Sum(fault => fault.Target))} faults in {lanes.Count} lanes, {burst} steps with each");
        await Lanes.RunAsync(lanes, pace, burst, tally, ledger, seed);
        Say($"{fleet.Shape}: faults done, {ledger.Uploads.Count} uploads and {ledger.YankSteps} yanks so far");
        pace.End(steps);
        while (await Task.WhenAny(working, Task.Delay(TimeSpan.FromSeconds(15))) != working)
        {
            Say($"{fleet.Shape}: {ledger.InFlight} requests wait, {ledger.Uploads.Count} uploads and {ledger.YankSteps} yanks are done");
            foreach (var heard in ledger.Heard.Take(5)) Say($"  {heard}");
        }

        var done = await working;
        if (ended.IsCancellationRequested) ledger.NoteWrong($"the work was not done after {minutes} minutes, {done} steps were");
        await seen.CancelAsync();
        await watching;
    }

    private static async Task<IReadOnlyList<string>> RestAsync(IDatabase database, double seconds)
    {
        var clock = Stopwatch.StartNew();
        var said = TimeSpan.Zero;
        while (true)
        {
            try
            {
                var waiting = await Gathering.WaitingAsync(database);
                if (waiting.Count == 0 || clock.Elapsed.TotalSeconds > seconds) return waiting;
                if (clock.Elapsed > said + TimeSpan.FromSeconds(15)) Say($"  {string.Join(", ", waiting)}; {(said = clock.Elapsed).TotalSeconds:0} s");
            }
            catch (TransientException) when (clock.Elapsed.TotalSeconds < seconds)
            {
                // A pooled connection of before the database's last restart.
            }

            await Task.Delay(200);
        }
    }

    private static RunResult Result(
        Fleet fleet, Ledger ledger, Tally tally, IReadOnlyList<IReadOnlyList<Fault>> lanes, TimeSpan drain, TimeSpan took, IReadOnlyList<Breach> breaches, int seed) => new()
        {
            Shape = fleet.Shape,
            Seed = seed,
            Faults = tally.Kinds,
            Targets = lanes.SelectMany(lane => lane).ToDictionary(fault => fault.Kind, fault => fault.Target),
            Told = (
            ledger.Uploads.Count(upload => upload.Told == Told.Accepted), ledger.Uploads.Count(upload => upload.Told == Told.Refused),
            ledger.Uploads.Count(upload => upload.Told == Told.Unknown), ledger.YankSteps, ledger.Requests),
            Drain = drain,
            Took = took,
            Breaches = breaches,
        };
}
