namespace Pipeline.Api.Publishing;

/// <summary>
/// The bytes that this process has let begin and that are in no row yet. They count for the staging's high-water mark as announced: else
/// many slow uploads at once would fill the disk far beyond it.
/// </summary>
internal sealed class UnfinishedUploads
{
    private long _bytes;

    /// <summary>How many they are.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>An upload begins; it ends, whichever way, when the answer is disposed.</summary>
    public IDisposable Begin(long size)
    {
        Interlocked.Add(ref _bytes, size);
        return new Upload(this, size);
    }

    private sealed class Upload(UnfinishedUploads all, long size) : IDisposable
    {
        private long _size = size;

        public void Dispose() => Interlocked.Add(ref all._bytes, -Interlocked.Exchange(ref _size, 0));
    }
}
