using System.Buffers;

namespace Pipeline.Workers.Tarballs;

/// <summary>How far a read of unpacked bytes came.</summary>
internal enum Filling
{
    /// <summary>All that was asked for.</summary>
    Whole,

    /// <summary>Nothing: the data ended before.</summary>
    Nothing,

    /// <summary>The data ended within.</summary>
    Part,

    /// <summary>The compressed data is bad.</summary>
    Broken,

    /// <summary>The unpack limit was reached.</summary>
    Limit,
}

/// <summary>
/// The unpacked bytes under their cap (crates-io-behaviour §2.2): whatever is read counts, skipped contents too, and the read
/// that makes the count reach the cap has already failed. Nothing is read ahead, so bytes nobody asks for can break nothing.
/// </summary>
internal sealed class UnpackedInput(GzipMember member, long limit) : IDisposable
{
    private const int ScratchSize = 32 * 1024;

    private readonly byte[] scratch = ArrayPool<byte>.Shared.Rent(ScratchSize);
    private long left = limit;

    /// <summary>Fills the buffer as far as it goes; <paramref name="count"/> is how much of it holds data.</summary>
    public Filling Fill(Span<byte> buffer, out int count)
    {
        count = 0;
        while (count < buffer.Length)
        {
            if (left <= 0) return Filling.Limit;
            var read = member.Read(buffer[count..(int)Math.Min(buffer.Length, count + left)]);
            if (read == GzipMember.Broken) return Filling.Broken;
            if (read == 0) return count == 0 ? Filling.Nothing : Filling.Part;
            count += read;
            left -= read;
        }
        return left > 0 ? Filling.Whole : Filling.Limit;
    }

    /// <summary>
    /// Passes over so many bytes, whatever a header claims their number is, and fills the buffer with what follows them.
    /// The last of them come in one read with it, for a read of the inflater costs more than the bytes of a small file.
    /// <see cref="Filling.Nothing"/>: the data ended right behind the bytes passed over; <see cref="Filling.Part"/>: elsewhere.
    /// </summary>
    public Filling PassAndFill(ulong bytes, Span<byte> buffer)
    {
        while (bytes > (ulong)(ScratchSize - buffer.Length))
        {
            var filling = Fill(scratch.AsSpan(0, (int)Math.Min(bytes, ScratchSize)), out var count);
            if (filling != Filling.Whole) return filling == Filling.Nothing ? Filling.Part : filling;
            bytes -= (ulong)count;
        }
        var passed = (int)bytes;
        var last = Fill(scratch.AsSpan(0, passed + buffer.Length), out var filled);
        scratch.AsSpan(passed, buffer.Length).CopyTo(buffer);
        return last switch
        {
            Filling.Part when filled == passed => Filling.Nothing,
            Filling.Nothing when passed > 0 => Filling.Part,
            _ => last,
        };
    }

    /// <inheritdoc/>
    public void Dispose() => ArrayPool<byte>.Shared.Return(scratch);
}
