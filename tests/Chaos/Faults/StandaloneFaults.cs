using Pipeline.Tests.Chaos.Shapes;
using Pipeline.Tests.Chaos.Workload;

namespace Pipeline.Tests.Chaos.Faults;

/// <summary>What can befall one process, its two disks and the cache in front of it.</summary>
internal static class StandaloneFaults
{
    /// <summary>The faults, in lanes.</summary>
    public static IReadOnlyList<IReadOnlyList<Fault>> Of(Standalone shape, Ledger ledger, Work work, Tally tally, FaultTargets targets, int seed)
    {
        var (fleet, journal) = (shape.Fleet, shape.Fleet.Journal);
        var random = new Random(seed);
        var (process, other) = (new Random(seed + 1), new Random(seed + 2));
        return
        [
            [
                .. new Kills(fleet, work, tally, random).All(targets.Kills),
                new Fault("process stands still", targets.Others, () => Outages.StandStillAsync(shape.Process, () => work.WaitAsync("api"), process)),
                new Fault("store lags", targets.Others, () => LagAsync(shape, work, process)),
            ],
            [
                new Fault("store full", targets.Others, () => Outages.FillAsync(() => journal.Count("the object store is full"), other, shape.Store)),
                new Fault("store read-only", targets.Others, () => Outages.FeltAsync(() => journal.Count("Read-only file system"), Outages.Seconds(other, 0.5, 1), shape.Store.LockAsync, shape.Store.UnlockAsync)),
                new Fault("disk of the git index full", targets.Others, () => Outages.FillAsync(() => journal.Count("Out of diskspace", "No space left"), other, shape.Index)),
                new Fault("cache away", targets.Others, () => Outages.CutAsync(shape.Cdn, other)),
                new Fault("cache lags", targets.Others, () => Outages.SlowAsync(shape.Cdn, other)),
            ],
        ];
    }

    /// <summary>A folder cannot be slow by itself: whoever is about to write into it stands for a second, until the process is started again.</summary>
    private static async Task<bool> LagAsync(Standalone shape, Work work, Random random)
    {
        string[] points = ["manifest.reserved", "sparse.rendered", "tarball.read"];
        if (!await shape.Process.KillAndStartAsync(TimeSpan.Zero, ("PIPELINE_PAUSE_AT", points[random.Next(points.Length)] + ":1"))) return false;
        var waits = await work.WaitAsync("api");
        await Task.Delay(TimeSpan.FromSeconds(1.2));
        waits &= await work.AnyAsync("any");
        return await shape.Process.KillAndStartAsync(TimeSpan.Zero) && waits;
    }
}
