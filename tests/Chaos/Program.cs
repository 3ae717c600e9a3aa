using System.Diagnostics;
using Pipeline.Registry.Faults;
using Pipeline.Tests.Chaos;

ChaosOptions options;
try
{
    options = ChaosOptions.Parse(args);
}
catch (ArgumentException e)
{
    Console.Error.WriteLine(e.Message);
    return 2;
}

if (options.Plants.Count > 0 && !PlantedBugs.AreBuilt)
{
    Console.Error.WriteLine("this build has no planted bugs in it; ops/test chaos --plant makes one that has");
    return 2;
}

Console.WriteLine($"chaos: seed {options.Seed}");
var clock = Stopwatch.StartNew();
var (passed, failed) = (0, 0);
if (options.Plants.Count > 0) await PlantedAsync();
else
{
    var round = 0;
    do await RoundAsync(options.Seed + round++);
    while (clock.Elapsed.TotalMinutes < options.Minutes);
}

Console.WriteLine();
Console.WriteLine($"{passed} passed, {failed} failed");
return failed == 0 ? 0 : 1;

async Task RoundAsync(int seed)
{
    foreach (var shape in options.Shapes)
    {
        var (good, bad) = Report.Print(await Run.OnceAsync(shape, seed, options, null));
        (passed, failed) = (passed + good, failed + bad);
    }
}

// A bug that is planted passes when the suite is red for it.
async Task PlantedAsync()
{
    foreach (var plant in options.Plants)
    {
        var run = await Run.OnceAsync(options.Shapes[0], options.Seed, options, plant);
        Report.Print(run);
        var isRed = run.Breaches.Count > 0;
        Console.WriteLine($"  planted {plant}: {(isRed ? "found" : "NOT FOUND")}");
        if (isRed) passed++;
        else failed++;
    }
}
