namespace Pipeline.Api.Git;

/// <summary>Stops a transfer that makes no progress, or takes too long as a whole.</summary>
internal sealed class ProgressClock : IDisposable
{
    private readonly CancellationTokenSource _stop;
    private readonly Timer _timer;
    private readonly long _idle;
    private readonly long _end;
    private long _last = Environment.TickCount64;

    /// <summary>Starts the clock.</summary>
    /// <param name="idle">The longest without progress.</param>
    /// <param name="total">The longest at all.</param>
    /// <param name="stop">What is cancelled then.</param>
    public ProgressClock(TimeSpan idle, TimeSpan total, CancellationTokenSource stop)
    {
        _stop = stop;
        _idle = (long)idle.TotalMilliseconds;
        _end = _last + (long)total.TotalMilliseconds;
        var every = TimeSpan.FromMilliseconds(Math.Max(10, Math.Min(idle.TotalMilliseconds, total.TotalMilliseconds) / 4));
        _timer = new Timer(_ => Check(), null, every, every);
    }

    /// <summary>Something has moved.</summary>
    public void Progress() => Volatile.Write(ref _last, Environment.TickCount64);

    /// <inheritdoc/>
    public void Dispose() => _timer.Dispose();

    private void Check()
    {
        var now = Environment.TickCount64;
        if (now < _end && now - Volatile.Read(ref _last) < _idle) return;
        try
        {
            _stop.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The transfer ended in this very moment.
        }
    }
}
