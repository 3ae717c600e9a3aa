using System.Diagnostics;

namespace Pipeline.Tests.Serving;

/// <summary>Waits for what comes to pass by itself, and says what did not.</summary>
internal static class Deadline
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(25);

    /// <summary>Asks again and again until there is nothing left to wait for.</summary>
    /// <param name="seconds">How long at most.</param>
    /// <param name="missing">What is still missing; null: nothing.</param>
    public static async Task UntilAsync(double seconds, Func<Task<string?>> missing)
    {
        var clock = Stopwatch.StartNew();
        while (await missing() is { } what)
        {
            if (clock.Elapsed.TotalSeconds > seconds) throw new TimeoutException($"after {seconds} s: {what}");
            await Task.Delay(Interval);
        }
    }
}
