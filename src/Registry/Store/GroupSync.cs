using Pipeline.Registry.Telemetry;

namespace Pipeline.Registry.Store;

/// <summary>
/// One sync of the disk for all who ask for one at about the same time. The first after a pause begins at once; under load there is one every
/// so often, for everybody who has asked meanwhile.
/// </summary>
/// <param name="sync">Makes everything durable that is written when it begins.</param>
/// <param name="every">The least time from the beginning of one sync to that of the next.</param>
/// <param name="clock">Measures it.</param>
internal sealed class GroupSync(Action sync, TimeSpan every, TimeProvider clock)
{
    private readonly Lock _gate = new();
    private TaskCompletionSource? _next;
    private Task _last = Task.CompletedTask;
    private long? _begun;

    /// <summary>Waits for a sync that begins after this call.</summary>
    public Task WaitAsync()
    {
        lock (_gate)
        {
            if (_next is null)
            {
                _next = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                _last = RunAsync(_last);
            }

            return _next.Task;
        }
    }

    private async Task RunAsync(Task before)
    {
        // Never in the caller, who holds the gate.
        await Task.Yield();
        await before.ConfigureAwait(false);
        if (_begun is { } begun && every - clock.GetElapsedTime(begun) is { Ticks: > 0 } left) await Task.Delay(left, clock).ConfigureAwait(false);
        TaskCompletionSource group;
        lock (_gate)
        {
            group = _next!;
            _next = null;
            _begun = clock.GetTimestamp();
        }

        try
        {
            // On a thread of its own: a sync may take long, and the pool has few threads.
            await Task.Factory.StartNew(sync, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default).ConfigureAwait(false);
            PipelineMeter.StoreSyncs.Add(1);
            group.SetResult();
        }
        catch (Exception e)
        {
            group.SetException(e);
        }
    }
}
