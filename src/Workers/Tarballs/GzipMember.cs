using System.Buffers.Binary;
using System.IO.Compression;

namespace Pipeline.Workers.Tarballs;

/// <summary>
/// Unpacks the first gzip member (RFC 1952) and nothing behind it, as the readers of crates.io and cargo do. The framework's
/// GZipStream goes on into further members, which would show us files that cargo never unpacks, and takes a cut-off stream for
/// a complete one; so header and trailer are read here and only the deflate data in between is left to the framework.
/// </summary>
internal sealed class GzipMember(CompressedSource source) : IDisposable
{
    /// <summary>What <see cref="Read"/> returns when the member cannot be read on.</summary>
    public const int Broken = -1;

    private const int HasHeaderCrc = 2, HasExtra = 4, HasName = 8, HasComment = 16, Reserved = 0xE0;

    private readonly DeflateStream inflater = new(source, CompressionMode.Decompress, leaveOpen: true);
    private bool started;
    private int? final;
    private uint crc;
    private uint length;

    /// <summary>Fills some of the buffer; 0 at the proven end of the member, <see cref="Broken"/> when its bytes are bad.</summary>
    public int Read(Span<byte> buffer)
    {
        if (final is { } known) return known;
        if (!started && !TryReadHeader()) return (final = Broken).Value;
        started = true;
        try
        {
            var count = inflater.Read(buffer);
            if (count == 0) return (final = IsWhole() ? 0 : Broken).Value;
            crc = Crc32.Append(crc, buffer[..count]);
            length += (uint)count;
            return count;
        }
        catch (InvalidDataException) when (!source.Faulted)
        {
            return (final = Broken).Value;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => inflater.Dispose();

    /// <summary>Whether the deflate data came to its own end, and the trailer agrees with what it unpacked to.</summary>
    private bool IsWhole()
    {
        if (source.AskedPastEnd) return false;
        Span<byte> trailer = stackalloc byte[8];
        BinaryPrimitives.WriteUInt32LittleEndian(trailer, crc);
        BinaryPrimitives.WriteUInt32LittleEndian(trailer[4..], length);
        return source.LastSliceHolds(trailer);
    }

    private bool TryReadHeader()
    {
        var headerCrc = 0u;
        Span<byte> fixedPart = stackalloc byte[10];
        foreach (ref var b in fixedPart)
            if (!TryNext(ref headerCrc, out b)) return false;

        var flags = fixedPart[3];
        if (fixedPart is not [0x1f, 0x8b, 8, ..] || (flags & Reserved) != 0) return false;
        if ((flags & HasExtra) != 0 && !SkipExtra(ref headerCrc)) return false;
        if ((flags & HasName) != 0 && !SkipText(ref headerCrc)) return false;
        if ((flags & HasComment) != 0 && !SkipText(ref headerCrc)) return false;
        if ((flags & HasHeaderCrc) == 0) return true;

        var expected = (ushort)headerCrc;
        return TryNext(ref headerCrc, out var low) && TryNext(ref headerCrc, out var high) && (low | high << 8) == expected;
    }

    private bool SkipExtra(ref uint headerCrc)
    {
        if (!TryNext(ref headerCrc, out var low) || !TryNext(ref headerCrc, out var high)) return false;
        for (var left = low | high << 8; left > 0; left--)
            if (!TryNext(ref headerCrc, out _)) return false;
        return true;
    }

    private bool SkipText(ref uint headerCrc)
    {
        byte b;
        do
            if (!TryNext(ref headerCrc, out b)) return false;
        while (b != 0);
        return true;
    }

    private bool TryNext(ref uint headerCrc, out byte b)
    {
        var next = source.ReadByte();
        b = (byte)next;
        headerCrc = Crc32.Append(headerCrc, new ReadOnlySpan<byte>(in b));
        return next >= 0;
    }
}
