using System.Globalization;
using System.Text;

namespace Pipeline.Bench.Tarballs;

/// <summary>Tar headers made by hand, for archives that no library would write.</summary>
internal static class TarBlocks
{
    /// <summary>The header of a regular file.</summary>
    public static byte[] File(string path, long size) => Header(path, size, '0');

    /// <summary>A ustar header.</summary>
    public static byte[] Header(string path, long size, char type)
    {
        var block = new byte[512];
        Put(block, 0, path);
        Put(block, 100, "0000644\0");
        Put(block, 124, Convert.ToString(size, 8).PadLeft(11, '0'));
        Put(block, 136, "00000000000");
        Put(block, 148, "        ");
        block[156] = (byte)type;
        Put(block, 257, "ustar\0" + "00");
        var sum = 0;
        foreach (var b in block) sum += b;
        Put(block, 148, string.Create(CultureInfo.InvariantCulture, $"{Convert.ToString(sum, 8).PadLeft(6, '0')}\0 "));
        return block;
    }

    private static void Put(byte[] block, int at, string text) => Encoding.ASCII.GetBytes(text, block.AsSpan(at));
}
