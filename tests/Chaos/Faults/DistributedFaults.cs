using System.Text.RegularExpressions;
using Pipeline.Contracts.Index;
using Pipeline.Tests.Chaos.Shapes;
using Pipeline.Tests.Chaos.Workload;

namespace Pipeline.Tests.Chaos.Faults;

/// <summary>What can befall many processes and the services that they share.</summary>
internal sealed partial class DistributedFaults(Distributed shape, Ledger ledger, Work work, IReadOnlyList<Step> plan)
{
    private const string Config = "config.json";

    /// <summary>The faults, in lanes.</summary>
    public IReadOnlyList<IReadOnlyList<Fault>> Of(Tally tally, FaultTargets targets, int seed)
    {
        var (fleet, journal) = (shape.Fleet, shape.Fleet.Journal);
        var (services, other) = (new Random(seed + 1), new Random(seed + 2));
        var kills = new Kills(fleet, work, tally, new Random(seed)).All(targets.Kills);
        return
        [
            [.. kills.Take(kills.Count / 2)],
            [.. kills.Skip(kills.Count / 2)],
            [
                new Fault("PostgreSQL killed, started", targets.Others, () => Outages.FeltAsync(() => ledger.Away + journal.Count("database cannot be reached"), Outages.Seconds(services, 0.2, 1.5), () => shape.Services.KillAsync("postgres"), () => shape.Services.RestartAsync("postgres"))),
                new Fault("RabbitMQ restarted", targets.Others, () => Outages.FeltAsync(() => journal.Count("bell lost", "Connection Failed", "broker"), () => shape.Services.RebootAsync("rabbitmq"))),
                new Fault("broker wiped", targets.Others, WipeAsync),
                new Fault("store away", targets.Others, () => Outages.CutAsync(shape.Store, services)),
                new Fault("store lags", targets.Others, () => Outages.SlowAsync(shape.Store, services)),
            ],
            [
                new Fault("cache away", targets.Others, () => Outages.CutAsync(shape.Cdn, other)),
                new Fault("cache lags", targets.Others, () => Outages.SlowAsync(shape.Cdn, other)),
                new Fault("git remote moved", targets.Others, () => MoveAsync(other)),
                new Fault("git remote away", targets.Others, () => Outages.FeltAsync(() => journal.Count("git-remote-away"), Outages.Seconds(other, 0.5, 1.5), () => Task.Run(shape.Remote.Hide), () => Task.Run(shape.Remote.Show))),
                new Fault("disk of the git index full", targets.Others, () => Outages.FillAsync(() => journal.Count("Out of diskspace", "No space left"), other, [.. shape.Clones])),
                new Fault("process stands still", targets.Others, () => StandStillAsync(other)),
            ],
        ];
    }

    /// <summary>It bites when bells were lost that somebody waited for.</summary>
    private async Task<bool> WipeAsync()
    {
        var bites = await work.WaitAsync("any");
        await shape.Services.WipeAsync("rabbitmq");
        return bites;
    }

    private async Task<bool> StandStillAsync(Random random)
    {
        var process = shape.Fleet.Processes[random.Next(shape.Fleet.Processes.Count)];
        // The git writer's lease runs out meanwhile, and the other one takes it over.
        var bites = await work.WaitAsync(process.Role);
        return await process.SleepAsync(process.Role == "git" ? TimeSpan.FromSeconds(6) : Outages.Seconds(random, 0.5, 2)) && bites;
    }

    /// <summary>
    /// Somebody commits at the remote while the writer does: to <c>config.json</c>, which stays as he left it, or into an index file, which goes
    /// back to what the database says. It bites when the writer has built upon it.
    /// </summary>
    private async Task<bool> MoveAsync(Random random)
    {
        if (await shape.Remote.TipAsync() is null || !await work.WaitAsync("git")) return false;
        string moved;
        try
        {
            moved = random.Next(2) == 0
                ? await shape.Remote.EditAsync(Config, text => Mark().IsMatch(text) ? Mark().Replace(text, $"\"moved\":{random.Next(1_000_000)}") : text.TrimEnd().TrimEnd('}') + $",\"moved\":{random.Next(1_000_000)}}}")
                : await shape.Remote.EditAsync(IndexPath.Of(plan[random.Next(20)].Crate.Name), text => text + "{\"not\":\"a line\"}\n");
        }
        catch (InvalidOperationException)
        {
            // That file is not there yet, or another fault has the remote.
            return false;
        }

        for (var i = 0; i < 200; i++)
        {
            if (await shape.Remote.TipAsync() is { } tip && tip != moved && await shape.Remote.IsBehindAsync(moved, tip)) return true;
            await Task.Delay(50);
        }

        return false;
    }

    [GeneratedRegex("\"moved\":[0-9]+")]
    private static partial Regex Mark();
}
