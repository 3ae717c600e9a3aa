using Pipeline.Tests.Chaos.Laws;

namespace Pipeline.Tests.Chaos;

/// <summary>Prints what a run came to, and says whether it was good.</summary>
internal static class Report
{
    private const int MostBreachesShown = 12;

    /// <summary>Prints the table of a run.</summary>
    /// <returns>How many checks passed and failed: one for each kind of fault, one for each law that was broken, else one for all.</returns>
    public static (int Passed, int Failed) Print(RunResult run)
    {
        var (passed, failed) = (0, 0);
        Console.WriteLine();
        Console.WriteLine($"{run.Shape}, seed {run.Seed}, {run.Took.TotalSeconds:0} s");
        Console.WriteLine($"  {"fault",-32} {"injected",9} {"bit",5} {"wanted",7}");
        foreach (var (kind, target) in run.Targets)
        {
            var (injected, bit) = run.Faults.GetValueOrDefault(kind);
            if (bit >= target) passed++;
            else failed++;
            Console.WriteLine($"  {kind,-32} {injected,9} {bit,5} {target,7}{(bit >= target ? "" : "  too few")}");
        }

        Row("publishes accepted", run.Told.Accepted);
        Row("publishes refused", run.Told.Refused);
        Row("publishes left in doubt", run.Told.Unknown);
        Row("yanks and unyanks", run.Told.Yanks);
        Row("requests", run.Told.Requests);
        Row("losses", run.Breaches.Count(breach => breach.Harm == Harm.Loss));
        Row("duplicates", run.Breaches.Count(breach => breach.Harm == Harm.Duplicate));
        Row("seconds to drain", (int)Math.Ceiling(run.Drain.TotalSeconds));
        foreach (var law in run.Breaches.GroupBy(breach => breach.Law))
        {
            failed++;
            Console.WriteLine($"  broken: {law.Key} ({law.Count()} times)");
            foreach (var breach in law.Take(MostBreachesShown)) Console.WriteLine($"    {breach.Text}");
        }

        if (run.Breaches.Count == 0) passed++;
        return (passed, failed);
    }

    private static void Row(string what, int count) => Console.WriteLine($"  {what,-32} {count,9}");
}
