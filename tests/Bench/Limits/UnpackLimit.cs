using System.Buffers;
using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;
using Pipeline.Bench.Measuring;

namespace Pipeline.Bench.Limits;

/// <summary>Limit: gunzip, untar and SHA-256 of the same archives, by the framework, on one thread.</summary>
internal static class UnpackLimit
{
    /// <summary>The CPU per archive, in milliseconds.</summary>
    public static double Measure(IReadOnlyList<byte[]> archives)
    {
        Repeat(archives, 3000);
        var before = ProcessCpu.Own.Seconds();
        var done = Repeat(archives, 20_000);
        return (ProcessCpu.Own.Seconds() - before) * 1000 / done;
    }

    /// <summary>One archive.</summary>
    public static void Unpack(byte[] archive)
    {
        _ = SHA256.HashData(archive);
        using var gzip = new GZipStream(new MemoryStream(archive, writable: false), CompressionMode.Decompress);
        using var tar = new TarReader(gzip);
        var buffer = ArrayPool<byte>.Shared.Rent(64 * 1024);
        while (tar.GetNextEntry() is { } entry)
        {
            if (entry.DataStream is not { } content) continue;
            while (content.Read(buffer, 0, buffer.Length) > 0)
            {
            }
        }

        ArrayPool<byte>.Shared.Return(buffer);
    }

    private static int Repeat(IReadOnlyList<byte[]> archives, int times)
    {
        for (var i = 0; i < times; i++) Unpack(archives[i % archives.Count]);
        return times;
    }
}
