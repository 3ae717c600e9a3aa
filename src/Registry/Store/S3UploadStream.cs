namespace Pipeline.Registry.Store;

/// <summary>
/// A client's upload on its way to staging: exactly the announced bytes. The store's patience runs only while the store is at work, for
/// a slow client is not its fault; and what the client's own stream throws is kept, since the SDK would wrap it.
/// </summary>
internal sealed class S3UploadStream(Stream content, long length, CancellationTokenSource patience, TimeSpan timeout) : ReadOnlyStream
{
    private long _left = length;

    /// <summary>Why the content could not be read; null: it could.</summary>
    public Exception? Failure { get; private set; }

    public override int Read(Span<byte> buffer) => throw new NotSupportedException("an upload is awaited");

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_left == 0 || buffer.IsEmpty) return 0;
        try
        {
            patience.CancelAfter(Timeout.InfiniteTimeSpan);
            var read = await content.ReadAsync(buffer[..(int)Math.Min(buffer.Length, _left)], cancellationToken).ConfigureAwait(false);
            if (read == 0) throw new EndOfStreamException();
            _left -= read;
            patience.CancelAfter(timeout);
            return read;
        }
        catch (Exception e)
        {
            Failure = e;
            throw;
        }
    }
}
