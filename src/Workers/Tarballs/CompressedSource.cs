using System.Buffers;
using System.Security.Cryptography;

namespace Pipeline.Workers.Tarballs;

/// <summary>
/// The uploaded bytes on their way to the inflater: read once, hashed and counted all of them.
/// They are handed on in slices that depend on the bytes alone, never on how the stream below happens to return them,
/// so that a broken archive breaks at the same place every time.
/// </summary>
internal sealed class CompressedSource(Stream inner, CancellationToken cancellation) : Stream
{
    private const int ChunkSize = 64 * 1024;
    private const int SliceSize = 8 * 1024;

    private readonly IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly byte[] chunk = ArrayPool<byte>.Shared.Rent(ChunkSize);
    private int given, next, end;
    private bool ended;

    /// <summary>Compressed bytes read so far.</summary>
    public long Size { get; private set; }

    /// <summary>Whether more was asked for than there is.</summary>
    public bool AskedPastEnd { get; private set; }

    /// <summary>Whether the stream below threw: then an exception is a fault of ours, not the publisher's bad data.</summary>
    public bool Faulted { get; private set; }

    /// <inheritdoc/>
    public override int Read(Span<byte> buffer)
    {
        if (next == end && !Refill())
        {
            AskedPastEnd = true;
            return 0;
        }
        var count = Math.Min(Math.Min(buffer.Length, SliceSize), end - next);
        chunk.AsSpan(next, count).CopyTo(buffer);
        given = next;
        next += count;
        return count;
    }

    /// <summary>The next byte, or -1 at the end.</summary>
    public override int ReadByte() => next < end || Refill() ? chunk[next++] : -1;

    /// <summary>
    /// Whether these bytes stand in the last slice that was handed out or directly behind it. Once the inflater is done the
    /// gzip trailer does: it does not say where in its last slice the data ended. Takes the bytes behind the slice.
    /// </summary>
    public bool LastSliceHolds(ReadOnlySpan<byte> bytes)
    {
        Span<byte> tail = stackalloc byte[SliceSize + bytes.Length];
        var length = next - given;
        chunk.AsSpan(given, length).CopyTo(tail);
        for (int b; length < tail.Length && (b = ReadByte()) >= 0; length++) tail[length] = (byte)b;
        return tail[..length].IndexOf(bytes) >= 0;
    }

    /// <summary>Reads to the end; the SHA-256 of everything, in hex.</summary>
    public string Finish()
    {
        while (Refill()) { }
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        hash.GetHashAndReset(digest);
        return Convert.ToHexStringLower(digest);
    }

    private bool Refill()
    {
        if (ended) return false;
        cancellation.ThrowIfCancellationRequested();
        Faulted = true;
        var count = inner.ReadAtLeast(chunk.AsSpan(0, ChunkSize), ChunkSize, throwOnEndOfStream: false);
        Faulted = false;
        hash.AppendData(chunk.AsSpan(0, count));
        Size += count;
        (given, next, end, ended) = (0, 0, count, count < ChunkSize);
        return count > 0;
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            hash.Dispose();
            ArrayPool<byte>.Shared.Return(chunk);
        }
        base.Dispose(disposing);
    }

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    /// <inheritdoc/>
    public override bool CanRead => true;

    /// <inheritdoc/>
    public override bool CanSeek => false;

    /// <inheritdoc/>
    public override bool CanWrite => false;

    /// <inheritdoc/>
    public override long Length => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    /// <inheritdoc/>
    public override void Flush() { }

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
