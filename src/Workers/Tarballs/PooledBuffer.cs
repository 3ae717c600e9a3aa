using System.Buffers;

namespace Pipeline.Workers.Tarballs;

/// <summary>A rented array, seen at the size that was asked for and given back when the scope ends.</summary>
internal readonly ref struct PooledBuffer(int size) : IDisposable
{
    private readonly byte[] array = ArrayPool<byte>.Shared.Rent(size);

    /// <summary>The bytes; not cleared.</summary>
    public Span<byte> Span => array.AsSpan(0, size);

    /// <inheritdoc/>
    public void Dispose() => ArrayPool<byte>.Shared.Return(array);
}
