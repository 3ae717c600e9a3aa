using Microsoft.Extensions.Hosting;
using Pipeline.Registry.Posix;

namespace Pipeline.Cli.Hosting;

/// <summary>
/// Gives memory back after a burst. The collector works when memory is asked for: after a thousand large uploads a quiet process would keep
/// what they took until the next ones, however long that is.
/// </summary>
internal sealed class MemoryReturn(TimeProvider clock) : BackgroundService
{
    private const long WorthIt = 24L << 20;
    private const long Quiet = 4L << 20;

    private static readonly TimeSpan Every = TimeSpan.FromSeconds(5);

    // Pooled buffers are let go when they were idle for a minute, at the next collection after that.
    private static readonly TimeSpan PoolsLetGo = TimeSpan.FromSeconds(75);

    /// <summary>Whether it is time.</summary>
    /// <param name="used">What the process has of the system's memory.</param>
    /// <param name="usedBefore">What it had after the last time.</param>
    /// <param name="allocated">What was allocated since the last look.</param>
    internal static bool IsDue(long used, long usedBefore, long allocated) => allocated < Quiet && used > usedBefore + WorthIt;

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Every, clock);
        var (kept, allocated) = (Environment.WorkingSet, GC.GetTotalAllocatedBytes());
        long? again = null;
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false))
            {
                var now = GC.GetTotalAllocatedBytes();
                var isQuiet = now - allocated < Quiet;
                var due = IsDue(Environment.WorkingSet, kept, now - allocated);
                allocated = now;
                if (!due && !(isQuiet && again is { } since && clock.GetElapsedTime(since) > PoolsLetGo)) continue;
                GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
                SystemMemory.Return();
                kept = Environment.WorkingSet;
                again = due ? clock.GetTimestamp() : null;
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The process ends, and with it all its memory.
        }
    }
}
