namespace Pipeline.Api.Http;

/// <summary>
/// How long somebody may still be waited for: waiting empties a measure of patience, bytes that move fill it again, never above its brim. So
/// a fast beginning buys no long silence, as it would with an average over the whole transfer.
/// </summary>
/// <param name="patience">The longest silence.</param>
internal sealed class Pace(TimeSpan patience)
{
    private readonly TimeSpan _most = patience;
    private TimeSpan _left = patience;

    /// <summary>How long the next wait may last; zero or less: it was too slow already.</summary>
    public TimeSpan Left => _left;

    /// <summary>Whether the patience has ended.</summary>
    public bool IsOver => _left <= TimeSpan.Zero;

    /// <summary>There was a wait.</summary>
    public void Waited(TimeSpan time) => _left -= time;

    /// <summary>Bytes moved.</summary>
    /// <param name="bytes">How many.</param>
    /// <param name="bytesPerSecond">The least rate.</param>
    public void Moved(long bytes, long bytesPerSecond)
    {
        if (IsOver) return;
        var earned = _left + TimeSpan.FromSeconds((double)bytes / bytesPerSecond);
        _left = earned < _most ? earned : _most;
    }
}
