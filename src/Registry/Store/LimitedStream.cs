namespace Pipeline.Registry.Store;

/// <summary>The next bytes of a stream, up to a count. It owns the stream.</summary>
internal sealed class LimitedStream(Stream inner, long count) : ReadOnlyStream
{
    private long _left = count;

    public override int Read(Span<byte> buffer)
    {
        if (_left < buffer.Length) buffer = buffer[..(int)_left];
        var read = buffer.IsEmpty ? 0 : inner.Read(buffer);
        _left -= read;
        return read;
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_left < buffer.Length) buffer = buffer[..(int)_left];
        var read = buffer.IsEmpty ? 0 : await inner.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
        _left -= read;
        return read;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing) inner.Dispose();
        base.Dispose(disposing);
    }
}
