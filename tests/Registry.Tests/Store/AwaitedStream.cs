namespace Pipeline.Registry.Tests.Store;

/// <summary>A content as a request's body gives it: awaited, forward, in small pieces, and no more than once.</summary>
internal sealed class AwaitedStream(byte[] content) : Stream
{
    private const int LargestPiece = 7000;

    private bool _paused;

    /// <summary>How many bytes were read.</summary>
    public int Taken { get; private set; }

    /// <summary>After how many bytes it breaks.</summary>
    public int FailAt { get; init; } = int.MaxValue;

    /// <summary>After how many bytes it pauses.</summary>
    public int PauseAt { get; init; } = int.MaxValue;

    /// <summary>For how long.</summary>
    public TimeSpan Pause { get; init; }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        await Task.Yield();
        if (Taken >= FailAt) throw new IOException("the client went away");
        if (Taken >= PauseAt && !_paused)
        {
            _paused = true;
            await Task.Delay(Pause, cancellationToken);
        }

        var count = Math.Min(Math.Min(buffer.Length, LargestPiece), content.Length - Taken);
        content.AsMemory(Taken, count).CopyTo(buffer);
        Taken += count;
        return count;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("a request's body is awaited");

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
