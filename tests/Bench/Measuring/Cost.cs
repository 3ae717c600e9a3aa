using System.Diagnostics;

namespace Pipeline.Bench.Measuring;

/// <summary>Measures the CPU of work in this process, on one thread, long enough for the clock's grain.</summary>
internal static class Cost
{
    private static readonly TimeSpan LongEnough = TimeSpan.FromSeconds(1.5);

    /// <summary>The CPU milliseconds of one run, of all threads: the collector's count too. Runs it warm first.</summary>
    public static double Of(Action work)
    {
        Repeat(work, TimeSpan.FromSeconds(0.5));
        // The compiler's second tier is ready a moment after it was asked for.
        Thread.Sleep(300);
        Repeat(work, TimeSpan.FromSeconds(0.5));
        var before = ProcessCpu.Own.Seconds();
        var times = Repeat(work, LongEnough);
        return (ProcessCpu.Own.Seconds() - before) * 1000 / times;
    }

    private static int Repeat(Action work, TimeSpan time)
    {
        var started = Stopwatch.GetTimestamp();
        var times = 0;
        while (Stopwatch.GetElapsedTime(started) < time)
        {
            work();
            times++;
        }

        return times;
    }
}
