using System.IO.Compression;
using System.Text;

namespace Pipeline.Workers.Tests.Tarballs;

/// <summary>Makes tar archives header by header, so that the broken ones can be made too.</summary>
internal sealed class ArchiveBuilder
{
    public const string Root = "foo-1.0.0";
    public const string Manifest = "[package]\nname = \"foo\"\nversion = \"1.0.0\"\n";

    private readonly List<byte> tar = [];
    private int zeroBlocks = 2;

    public static ArchiveBuilder WithManifest() => new ArchiveBuilder().File($"{Root}/Cargo.toml", Manifest);

    public ArchiveBuilder File(string path, string content = "") => Entry('0', Encoding.UTF8.GetBytes(path), Encoding.UTF8.GetBytes(content));

    public ArchiveBuilder Folder(string path) => Entry('5', Encoding.UTF8.GetBytes(path), []);

    public ArchiveBuilder Entry(char type, string path, byte[] content) => Entry(type, Encoding.UTF8.GetBytes(path), content);

    public ArchiveBuilder Entry(char type, byte[] path, byte[] content, Action<byte[]>? change = null)
    {
        if (path.Length > 100) LongName(path);
        var header = Header(path, content.Length, type);
        change?.Invoke(header);
        return Raw(Sealed(header)).Raw(Padded(content));
    }

    public ArchiveBuilder LongName(byte[] path, char type = 'L') => Raw(Sealed(Header("././@LongLink"u8.ToArray(), path.Length + 1, type))).Raw(Padded([.. path, 0]));

    public ArchiveBuilder Pax(params (string Key, string Value)[] records) =>
        PaxBody(records.SelectMany(r => PaxRecord(r.Key, Encoding.UTF8.GetBytes(r.Value))).ToArray());

    public ArchiveBuilder PaxBody(byte[] body) => Raw(Sealed(Header("PaxHeaders/x"u8.ToArray(), body.Length, 'x'))).Raw(Padded(body));

    public ArchiveBuilder PaxBody(string body) => PaxBody(Encoding.UTF8.GetBytes(body));

    public ArchiveBuilder Raw(byte[] bytes)
    {
        tar.AddRange(bytes);
        return this;
    }

    /// <summary>How many zero blocks end the archive; two is the rule.</summary>
    public ArchiveBuilder EndingWith(int blocks)
    {
        zeroBlocks = blocks;
        return this;
    }

    public byte[] ToTar() => [.. tar, .. new byte[512 * zeroBlocks]];

    public byte[] ToGzip(CompressionLevel level = CompressionLevel.Optimal) => Gzip(ToTar(), level);

    public static byte[] Gzip(byte[] data, CompressionLevel level = CompressionLevel.Optimal)
    {
        using var result = new MemoryStream();
        using (var gzip = new GZipStream(result, level, leaveOpen: true)) gzip.Write(data);
        return result.ToArray();
    }

    /// <summary>A ustar header without its checksum.</summary>
    public static byte[] Header(byte[] path, long size, char type)
    {
        var header = new byte[512];
        path.AsSpan(0, Math.Min(100, path.Length)).CopyTo(header);
        Put(header, 100, "0000644\0");
        Put(header, 108, "0000000\0");
        Put(header, 116, "0000000\0");
        Put(header, 124, Convert.ToString(size, 8).PadLeft(11, '0') + "\0");
        Put(header, 136, "00000000000\0");
        header[156] = (byte)type;
        Put(header, 257, "ustar\u000000");
        return header;
    }

    public static byte[] Sealed(byte[] header)
    {
        Put(header, 148, "        ");
        Put(header, 148, Convert.ToString(header.Sum(b => b), 8).PadLeft(6, '0') + "\0 ");
        return header;
    }

    public static void Put(byte[] header, int at, string text) => Encoding.Latin1.GetBytes(text, 0, text.Length, header, at);

    public static byte[] Padded(byte[] content) => [.. content, .. new byte[(512 - content.Length % 512) % 512]];

    public static byte[] PaxRecord(string key, byte[] value)
    {
        byte[] body = [.. Encoding.UTF8.GetBytes($" {key}="), .. value, (byte)'\n'];
        var length = body.Length;
        while (length != body.Length + length.ToString(System.Globalization.CultureInfo.InvariantCulture).Length)
            length = body.Length + length.ToString(System.Globalization.CultureInfo.InvariantCulture).Length;
        return [.. Encoding.UTF8.GetBytes(length.ToString(System.Globalization.CultureInfo.InvariantCulture)), .. body];
    }
}
