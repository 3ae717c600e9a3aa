using System.Buffers;

namespace Pipeline.Workers.Tarballs;

/// <summary>What <see cref="TarWalker.Next"/> came to.</summary>
internal enum Step
{
    /// <summary>An entry: its properties are set.</summary>
    Entry,

    /// <summary>The end marker, or the end of the data between two entries.</summary>
    End,

    /// <summary>Nothing that can be read, or the unpack limit (§2.3 row 1).</summary>
    Malformed,
}

/// <summary>
/// Walks over a tar archive header by header. GNU long names and links and pax local headers are taken in and applied to the
/// entry they stand before; everything else, pax global headers included, is an entry (crates-io-behaviour §2.1). The walk ends
/// at the first zero block: what stands behind it, the gzip trailer too, is never read and so cannot be wrong.
/// </summary>
internal sealed class TarWalker(UnpackedInput input) : IDisposable
{
    private readonly byte[] header = new byte[TarHeader.BlockSize];
    private readonly byte[] joinedPath = new byte[256];
    private byte[]? longName, paxContent;
    private int longNameLength, extensionBytes;
    private bool hasLongName, hasLongLink, hasPax;
    private PaxRecords pax;
    private ulong content, padding;

    /// <summary>The type flag of the entry.</summary>
    public byte Type => new TarHeader(header).Type;

    /// <summary>How many bytes its content has, a pax size applied.</summary>
    public ulong Size { get; private set; }

    /// <summary>Whether the pax sizes, if any, are numbers and all equal the size in the header (§2.3 rows 4 and 5).</summary>
    public bool HasOneSize { get; private set; }

    /// <summary>Content bytes of the entries passed so far.</summary>
    public ulong ContentBytes { get; private set; }

    /// <summary>The path of the entry as raw bytes: GNU long name, else pax path, else what the header says.</summary>
    public ReadOnlySpan<byte> Path
    {
        get
        {
            if (hasLongName) return WithoutEnd(longName.AsSpan(0, longNameLength));
            if (hasPax && pax.Path is { } path) return paxContent.AsSpan()[path];
            return new TarHeader(header).ReadPath(joinedPath);
        }
    }

    /// <summary>Goes to the next entry, over what is left of the content of this one.</summary>
    public Step Next()
    {
        (hasLongName, hasLongLink, hasPax) = (false, false, false);
        while (true)
        {
            var filling = input.PassAndFill(content + padding, header);
            if (filling is not (Filling.Whole or Filling.Nothing)) return Step.Malformed;
            ContentBytes += Size;
            Size = content = padding = 0;
            if (filling == Filling.Nothing) return End();

            var next = new TarHeader(header);
            if (next.IsEndMarker) return End();
            if (!next.HasGoodChecksum() || !next.TryReadSize(out var size)) return Step.Malformed;
            if (next.HasExtensions && next.Type is (byte)'L' or (byte)'K' or (byte)'x')
            {
                if (!TryTakeExtension(next.Type, size)) return Step.Malformed;
                continue;
            }
            return TrySetSize(next.Type, size) ? Step.Entry : Step.Malformed;
        }
    }

    /// <summary>Reads the start of the content. A short count with <see cref="Filling.Part"/>: the archive ends within it.</summary>
    public Filling ReadContent(Span<byte> buffer, out int count)
    {
        var filling = input.Fill(buffer[..(int)Math.Min((ulong)buffer.Length, content)], out count);
        content -= (ulong)count;
        return filling;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (longName is not null) ArrayPool<byte>.Shared.Return(longName);
        if (paxContent is not null) ArrayPool<byte>.Shared.Return(paxContent);
    }

    /// <summary>The archive may not end behind a header that describes an entry to come: cargo's reader fails there.</summary>
    private Step End() => hasLongName || hasLongLink || hasPax ? Step.Malformed : Step.End;

    /// <summary>A GNU long name without the one NUL that ends it. One before that stays, as in cargo's reader, and no path may have one.</summary>
    private static ReadOnlySpan<byte> WithoutEnd(ReadOnlySpan<byte> name) => name is [.., 0] ? name[..^1] : name;

    private bool TrySetSize(byte type, ulong size)
    {
        var stated = size;
        HasOneSize = true;
        if (hasPax)
        {
            // A global header is itself an extension: the size before it is not its own and does not change how it is read.
            if (type != 'g')
            {
                if (pax.HasBadSize || pax.HasBadOwner) return false;
                size = pax.Size ?? size;
            }
            HasOneSize = !pax.HasBadSize && !pax.SizesDiffer && (pax.Size ?? stated) == stated;
        }
        if (!TryExpect(size)) return false;
        Size = size;
        return true;
    }

    private bool TryExpect(ulong size)
    {
        if (size > ulong.MaxValue - (TarHeader.BlockSize - 1)) return false;
        content = size;
        padding = (0 - size) % TarHeader.BlockSize;
        return true;
    }

    /// <summary>Takes in a header that describes the entry to come. Two that say the same thing are ambiguous: readers would differ.</summary>
    private bool TryTakeExtension(byte type, ulong size)
    {
        if (size > TarballBounds.ExtensionBytes || !TryExpect(size)) return false;
        extensionBytes += (int)size;
        if (extensionBytes > TarballBounds.AllExtensionBytes) return false;
        switch (type)
        {
            case (byte)'L':
                if (hasLongName || (hasPax && pax.Path is not null)) return false;
                hasLongName = true;
                return TryReadExtension(ref longName, out longNameLength);
            case (byte)'K':
                // Links are never allowed, so their target is only passed over.
                if (hasLongLink || (hasPax && pax.HasLinkPath)) return false;
                return hasLongLink = true;
            default:
                if (hasPax || !TryReadExtension(ref paxContent, out var length)) return false;
                hasPax = true;
                return PaxRecords.TryParse(paxContent.AsSpan(0, length), out pax)
                    && !(hasLongName && pax.Path is not null) && !(hasLongLink && pax.HasLinkPath);
        }
    }

    private bool TryReadExtension(ref byte[]? buffer, out int length)
    {
        length = (int)content;
        if (buffer is null || buffer.Length < length)
        {
            if (buffer is not null) ArrayPool<byte>.Shared.Return(buffer);
            buffer = ArrayPool<byte>.Shared.Rent(length);
        }
        return ReadContent(buffer.AsSpan(0, length), out _) == Filling.Whole;
    }
}
