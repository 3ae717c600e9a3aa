namespace Pipeline.Workers.Fetching;

/// <summary>Keeps all fetches of a process together to so many bytes per second.</summary>
/// <param name="bytesPerSecond">The limit; 0: none.</param>
/// <param name="clock">Measures.</param>
internal sealed class Throttle(long bytesPerSecond, TimeProvider clock)
{
    private readonly Lock _lock = new();
    private readonly long _started = clock.GetTimestamp();
    private TimeSpan _free;

    /// <summary>Waits until so many bytes more may have come.</summary>
    public async ValueTask PassAsync(int bytes, CancellationToken cancellationToken)
    {
        if (bytesPerSecond == 0) return;
        TimeSpan wait;
        lock (_lock)
        {
            var now = clock.GetElapsedTime(_started);
            if (_free < now) _free = now;
            wait = _free - now;
            _free += TimeSpan.FromSeconds((double)bytes / bytesPerSecond);
        }

        if (wait > TimeSpan.Zero) await Task.Delay(wait, clock, cancellationToken).ConfigureAwait(false);
    }
}
