using System.Runtime.InteropServices;

namespace Pipeline.Workers.Tarballs;

/// <summary>
/// One 512-byte tar header (POSIX ustar, GNU and the old V7 layout share the first 257 bytes), read as Rust's tar readers read it:
/// numbers in octal text or GNU base-256, the checksum over unsigned bytes only.
/// </summary>
internal readonly ref struct TarHeader(ReadOnlySpan<byte> block)
{
    /// <summary>Header and content both come in blocks of this size.</summary>
    public const int BlockSize = 512;

    private readonly ReadOnlySpan<byte> block = block;

    /// <summary>The type flag; NUL and <c>0</c> are a regular file, <c>5</c> a folder.</summary>
    public byte Type => block[156];

    /// <summary>Whether the magic is that of ustar or GNU. Without it an extension header is an entry like any other.</summary>
    public bool HasExtensions => IsUstar || block.Slice(257, 8).SequenceEqual("ustar  \0"u8);

    private bool IsUstar => block.Slice(257, 8).SequenceEqual("ustar\u000000"u8);

    /// <summary>The end marker: no header is all zero, for its checksum would not be.</summary>
    public bool IsEndMarker => !block.ContainsAnyExcept((byte)0);

    /// <summary>Whether the checksum field fits the rest, itself counted as blanks.</summary>
    public bool HasGoodChecksum()
    {
        var field = block.Slice(148, 8);
        var sum = 8 * ' ' + Sum(block) - Sum(field);
        return TryReadOctal(field, out var stated) && (uint)stated == sum;
    }

    /// <summary>The size field: octal, or base-256 in its last 8 bytes when the top bit is set.</summary>
    public bool TryReadSize(out ulong size)
    {
        var field = block.Slice(124, 12);
        if ((field[0] & 0x80) == 0) return TryReadOctal(field, out size);
        size = 0;
        foreach (var b in field[4..]) size = (size << 8) | b;
        return true;
    }

    /// <summary>The path: the name, and for ustar the prefix before it. Written into <paramref name="joined"/> only if it must be joined.</summary>
    public ReadOnlySpan<byte> ReadPath(Span<byte> joined)
    {
        var name = UpToNul(block[..100]);
        var prefix = IsUstar ? UpToNul(block.Slice(345, 155)) : default;
        if (prefix.IsEmpty) return name;
        prefix.CopyTo(joined);
        joined[prefix.Length] = (byte)'/';
        name.CopyTo(joined[(prefix.Length + 1)..]);
        return joined[..(prefix.Length + 1 + name.Length)];
    }

    /// <summary>The bytes before the first NUL.</summary>
    public static ReadOnlySpan<byte> UpToNul(ReadOnlySpan<byte> field)
    {
        var nul = field.IndexOf((byte)0);
        return nul < 0 ? field : field[..nul];
    }

    /// <summary>The word for a type flag in the refusal of §2.3 row 9.</summary>
    public static string TypeName(byte type) => (char)type switch
    {
        '1' => "Link",
        '2' => "Symlink",
        '3' => "Char",
        '4' => "Block",
        '6' => "Fifo",
        '7' => "Continuous",
        'S' => "GNUSparse",
        'L' => "GNULongName",
        'K' => "GNULongLink",
        'g' => "XGlobalHeader",
        'x' => "XHeader",
        _ => $"Other({type})",
    };

    /// <summary>Adds up the bytes, eight at a time in four lanes of 16 bits; a block is short enough not to overflow them.</summary>
    private static uint Sum(ReadOnlySpan<byte> bytes)
    {
        const ulong Lanes = 0x00FF_00FF_00FF_00FF;
        var sum = 0UL;
        foreach (var eight in MemoryMarshal.Cast<byte, ulong>(bytes)) sum += (eight & Lanes) + ((eight >> 8) & Lanes);
        return (uint)((sum & 0xFFFF) + ((sum >> 16) & 0xFFFF) + ((sum >> 32) & 0xFFFF) + (sum >> 48));
    }

    private static bool TryReadOctal(ReadOnlySpan<byte> field, out ulong value)
    {
        var digits = UpToNul(field).Trim(" \t\n\v\f\r"u8);
        if (digits is [(byte)'+', _, ..]) digits = digits[1..];
        value = 0;
        foreach (var b in digits)
        {
            if (b is < (byte)'0' or > (byte)'7') return false;
            value = (value << 3) | (uint)(b - '0');
        }
        return !digits.IsEmpty;
    }
}
