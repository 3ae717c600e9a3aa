using System.Globalization;
using System.Text;

namespace Pipeline.Tests.Hostile;

/// <summary>A tar written header by header, so that it can be wrong.</summary>
internal sealed class TarText
{
    private const int Block = 512;
    private readonly List<byte> _bytes = [];
    private bool _ends = true;

    /// <summary>A file; its size can be told wrong.</summary>
    public TarText File(string path, string content, long? size = null, string? sizeField = null) =>
        Add(Encoding.UTF8.GetBytes(path), '0', Encoding.UTF8.GetBytes(content), sizeField ?? Octal(size ?? Encoding.UTF8.GetByteCount(content)));

    /// <summary>An empty entry of any type.</summary>
    public TarText Entry(string path, char type) => Entry(Encoding.UTF8.GetBytes(path), type);

    /// <summary>An empty entry whose path is any bytes.</summary>
    public TarText Entry(byte[] path, char type) => Add(path, type, [], Octal(0));

    /// <summary>A pax header with any content.</summary>
    public TarText Pax(string content) => Add("pax"u8.ToArray(), 'x', Encoding.UTF8.GetBytes(content), Octal(content.Length));

    /// <summary>Changes one bit of what is there.</summary>
    public void Damage(int at, Random random) => _bytes[at] ^= (byte)(1 << random.Next(7));

    /// <summary>Leaves only the first bytes.</summary>
    public void Cut(int length)
    {
        _bytes.RemoveRange(length, _bytes.Count - length);
        _ends = false;
    }

    /// <summary>Leaves the end marker away.</summary>
    public TarText WithoutEnd()
    {
        _ends = false;
        return this;
    }

    /// <summary>The archive.</summary>
    public byte[] ToArray() => _ends ? [.. _bytes, .. new byte[2 * Block]] : [.. _bytes];

    private static string Octal(long size) => Convert.ToString(size, 8).PadLeft(11, '0') + "\0";

    private TarText Add(byte[] path, char type, byte[] content, string size)
    {
        var header = new byte[Block];
        path.CopyTo(header, 0);
        Encoding.ASCII.GetBytes("0000644\0" + "0000000\0" + "0000000\0").CopyTo(header, 100);
        Encoding.ASCII.GetBytes(size).CopyTo(header, 124);
        Encoding.ASCII.GetBytes("00000000000\0        ").CopyTo(header, 136);
        header[156] = (byte)type;
        Encoding.ASCII.GetBytes("ustar\u000000").CopyTo(header, 257);
        var sum = header.Sum(b => (int)b);
        Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{Convert.ToString(sum, 8).PadLeft(6, '0')}\0 ")).CopyTo(header, 148);
        _bytes.AddRange(header);
        _bytes.AddRange(content);
        _bytes.AddRange(new byte[(Block - (content.Length % Block)) % Block]);
        return this;
    }
}
