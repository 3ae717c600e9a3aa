namespace Pipeline.Api.Http;

/// <summary>A number of bytes that all connections of the process together may hold of something.</summary>
/// <param name="most">How many.</param>
internal sealed class ByteBudget(long most)
{
    private long _taken;

    /// <summary>How many are held now.</summary>
    public long Taken => Interlocked.Read(ref _taken);

    /// <summary>Takes some more, if that many are left above those that are kept back for others.</summary>
    public bool TryTake(long bytes, long keptBack = 0)
    {
        if (Interlocked.Add(ref _taken, bytes) <= most - keptBack) return true;
        Interlocked.Add(ref _taken, -bytes);
        return false;
    }

    /// <summary>Gives some back.</summary>
    public void Return(long bytes) => Interlocked.Add(ref _taken, -bytes);
}
