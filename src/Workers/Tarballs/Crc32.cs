using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Pipeline.Workers.Tarballs;

/// <summary>The CRC of gzip (RFC 1952 §8; ISO 3309, reflected polynomial EDB88320). The framework keeps its own to itself.</summary>
internal static class Crc32
{
    private static readonly uint[] Table = MakeTable();

    // x^n modulo the polynomial, bit-reflected: what 128 bits are multiplied by to be moved on by 512 and by 128 bits.
    private static readonly Vector128<ulong> Fold512 = Vector128.Create(0x1_5444_2bd4UL, 0x1_c6e4_1596UL);
    private static readonly Vector128<ulong> Fold128 = Vector128.Create(0x1_7519_97d0UL, 0x0_ccaa_009eUL);

    /// <summary>The CRC of what came before (0 at the start) followed by <paramref name="data"/>.</summary>
    public static uint Append(uint crc, ReadOnlySpan<byte> data)
    {
        var state = ~crc;
        if (Pclmulqdq.IsSupported && data.Length >= 64) data = Fold(data, ref state);
        // What is left behind whole blocks, or all of it on a processor without carry-less multiplication.
        foreach (var b in data) state = Step(state, b);
        return ~state;
    }

    /// <summary>Folds whole 16-byte blocks, four at a time, into one that has the same remainder; returns the bytes left over.</summary>
    private static ReadOnlySpan<byte> Fold(ReadOnlySpan<byte> data, scoped ref uint state)
    {
        var blocks = MemoryMarshal.Cast<byte, Vector128<ulong>>(data);
        var rest = data[(blocks.Length * 16)..];
        var a = blocks[0] ^ Vector128.CreateScalar((ulong)state);
        var b = blocks[1];
        var c = blocks[2];
        var d = blocks[3];
        for (blocks = blocks[4..]; blocks.Length >= 4; blocks = blocks[4..])
        {
            a = Shift(a, Fold512) ^ blocks[0];
            b = Shift(b, Fold512) ^ blocks[1];
            c = Shift(c, Fold512) ^ blocks[2];
            d = Shift(d, Fold512) ^ blocks[3];
        }
        a = Shift(Shift(Shift(a, Fold128) ^ b, Fold128) ^ c, Fold128) ^ d;
        foreach (var block in blocks) a = Shift(a, Fold128) ^ block;

        state = 0;
        for (var i = 0; i < 16; i++) state = Step(state, a.AsByte().GetElement(i));
        return rest;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<ulong> Shift(Vector128<ulong> block, Vector128<ulong> by) =>
        Pclmulqdq.CarrylessMultiply(block, by, 0x00) ^ Pclmulqdq.CarrylessMultiply(block, by, 0x11);

    private static uint Step(uint state, byte b) => Table[(byte)(state ^ b)] ^ (state >> 8);

    private static uint[] MakeTable()
    {
        var table = new uint[256];
        for (uint i = 0; i < 256; i++)
        {
            var value = i;
            for (var bit = 0; bit < 8; bit++) value = (value >> 1) ^ ((value & 1) * 0xEDB88320);
            table[i] = value;
        }
        return table;
    }
}
