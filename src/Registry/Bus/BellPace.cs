namespace Pipeline.Registry.Bus;

/// <summary>
/// Keeps a stage whose bells have no keys from being run for every single change of a busy registry: from one run to the next there is some time,
/// in which bells gather. The first after a pause never waits.
/// </summary>
/// <param name="every">The least time from one run to the next.</param>
/// <param name="clock">Measures it.</param>
public sealed class BellPace(TimeSpan every, TimeProvider clock)
{
    private long? _last;

    /// <summary>Waits until the next run may begin, and begins it. For one run at a time.</summary>
    public async ValueTask NextAsync(CancellationToken cancellationToken)
    {
        if (_last is { } last && every - clock.GetElapsedTime(last) is { Ticks: > 0 } left) await Task.Delay(left, clock, cancellationToken).ConfigureAwait(false);
        _last = clock.GetTimestamp();
    }
}
