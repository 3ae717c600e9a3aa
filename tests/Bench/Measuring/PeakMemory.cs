namespace Pipeline.Bench.Measuring;

/// <summary>Watches the memory of this process while something runs.</summary>
internal sealed class PeakMemory : IDisposable
{
    private readonly Timer _timer;
    private long _peak;

    /// <summary>Begins.</summary>
    public PeakMemory() => _timer = new Timer(_ => Look(), null, 0, 50);

    /// <summary>The most resident bytes seen.</summary>
    public long Peak
    {
        get
        {
            Look();
            return _peak;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _timer.Dispose();

    private void Look() => _peak = Math.Max(_peak, Environment.WorkingSet);
}
