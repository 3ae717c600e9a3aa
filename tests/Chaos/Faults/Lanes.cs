using System.Diagnostics;
using Pipeline.Tests.Chaos.Workload;

namespace Pipeline.Tests.Chaos.Faults;

/// <summary>Injects faults, several lanes side by side, each one after the other, until every kind has bitten as often as it must.</summary>
internal static class Lanes
{
    // A fault that never bites is a finding too, not an endless run.
    private const int MostTriesPerBite = 5;
    private const int FewestTries = 10;
    private static readonly TimeSpan LongestBreath = TimeSpan.FromSeconds(5);

    /// <summary>Runs the lanes to their ends.</summary>
    /// <param name="lanes">The faults of each.</param>
    /// <param name="pace">Is told to let a burst of work go with every fault.</param>
    /// <param name="burst">How much.</param>
    /// <param name="tally">Where it is counted.</param>
    /// <param name="ledger">Tells how far the work has got.</param>
    /// <param name="seed">The order within a lane.</param>
    public static Task RunAsync(IReadOnlyList<IReadOnlyList<Fault>> lanes, Pace pace, int burst, Tally tally, Ledger ledger, int seed) =>
        Task.WhenAll(lanes.Select((faults, lane) => Task.Run(() => RunAsync(faults, pace, burst, tally, ledger, new Random(seed + lane)))));

    /// <summary>Lets some work come to its end before the next fault: a registry that is always down shows nothing.</summary>
    private static async Task BreatheAsync(Ledger ledger, int steps)
    {
        var (clock, before) = (Stopwatch.StartNew(), ledger.Done);
        while (ledger.Done < before + steps && clock.Elapsed < LongestBreath) await Task.Delay(20);
    }

    // What the machine refuses is no finding about the registry: it is said, has not bitten, and is tried again.
    private static async Task<bool> InjectAsync(Fault fault)
    {
        try
        {
            return await fault.InjectAsync();
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            Run.Say($"{fault.Kind}: could not be injected: {e}");
            return false;
        }
    }

    private static async Task RunAsync(IReadOnlyList<Fault> faults, Pace pace, int burst, Tally tally, Ledger ledger, Random random)
    {
        var tries = faults.ToDictionary(fault => fault.Kind, _ => 0);
        while (true)
        {
            var open = faults.Where(fault => tally.Bit(fault.Kind) < fault.Target && tries[fault.Kind] < Math.Max(FewestTries, MostTriesPerBite * fault.Target)).ToList();
            if (open.Count == 0) return;
            // What lacks most is likeliest, so that all kinds come to their end together.
            var fault = open.SelectMany(one => Enumerable.Repeat(one, one.Target - tally.Bit(one.Kind))).ElementAt(random.Next(open.Sum(one => one.Target - tally.Bit(one.Kind))));
            tries[fault.Kind]++;
            pace.Release(burst);
            tally.Note(fault.Kind, await InjectAsync(fault));
            await BreatheAsync(ledger, burst / 2);
            await Task.Delay(random.Next(50, 300));
        }
    }
}
