using System.Diagnostics;
using Pipeline.Tests.Chaos.Shapes;
using Pipeline.Tests.Services;

namespace Pipeline.Tests.Chaos.Faults;

/// <summary>Outages that both shapes know.</summary>
internal static class Outages
{
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan Afterwards = TimeSpan.FromSeconds(1);

    /// <summary>A time between two bounds.</summary>
    public static TimeSpan Seconds(Random random, double least, double most) => TimeSpan.FromSeconds(least + (random.NextDouble() * (most - least)));

    /// <summary>
    /// An outage that lasts for some time, and longer where nobody has felt it yet. Whether something that is counted grew meanwhile, or soon
    /// after: logs and retries come a little later.
    /// </summary>
    /// <param name="felt">What is counted.</param>
    /// <param name="least">How long it lasts.</param>
    /// <param name="begin">Begins it.</param>
    /// <param name="end">Ends it.</param>
    public static async Task<bool> FeltAsync(Func<int> felt, TimeSpan least, Func<Task> begin, Func<Task> end)
    {
        var before = felt();
        await begin();
        try
        {
            await Task.Delay(least);
            await WaitAsync(() => felt() > before, Longest);
        }
        finally
        {
            await end();
        }

        return await WaitAsync(() => felt() > before, Afterwards);
    }

    /// <summary>The same for one that has its own length.</summary>
    public static Task<bool> FeltAsync(Func<int> felt, Func<Task> outage) => FeltAsync(felt, TimeSpan.Zero, outage, static () => Task.CompletedTask);

    /// <summary>A way that is cut.</summary>
    public static Task<bool> CutAsync(Cable cable, Random random) => FeltAsync(() => cable.Dropped, Seconds(random, 0.5, 2), () => Now(cable.Break), () => Now(cable.Heal));

    /// <summary>A slow way.</summary>
    public static Task<bool> SlowAsync(Cable cable, Random random)
    {
        var lag = Seconds(random, 0.1, 0.6);
        return FeltAsync(() => cable.Slowed, Seconds(random, 1, 2), () => Now(() => cable.Lag = lag), () => Now(() => cable.Lag = TimeSpan.Zero));
    }

    /// <summary>Disks that are full.</summary>
    public static async Task<bool> FillAsync(Func<int> felt, Random random, params IReadOnlyList<SmallDisk> disks)
    {
        using var over = new CancellationTokenSource();
        var filling = Task.CompletedTask;
        return await FeltAsync(
            felt, Seconds(random, 0.7, 2),
            () => Now(() => filling = Task.WhenAll(disks.Select(disk => disk.FillAsync(over.Token)))),
            async () =>
            {
                await over.CancelAsync();
                await filling;
            });
    }

    /// <summary>A process that stands still in the midst of its work.</summary>
    public static async Task<bool> StandStillAsync(RoleProcess process, Func<Task<bool>> works, Random random)
    {
        var bites = await works();
        return await process.SleepAsync(Seconds(random, 0.5, 2)) && bites;
    }

    private static async Task<bool> WaitAsync(Func<bool> holds, TimeSpan most)
    {
        for (var clock = Stopwatch.StartNew(); clock.Elapsed < most; await Task.Delay(50))
        {
            if (holds()) return true;
        }

        return holds();
    }

    private static Task Now(Action action)
    {
        action();
        return Task.CompletedTask;
    }
}
