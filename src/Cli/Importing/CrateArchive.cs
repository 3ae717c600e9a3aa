using System.Formats.Tar;
using System.IO.Compression;

namespace Pipeline.Cli.Importing;

/// <summary>Takes single files out of a .crate. It judges nothing: what is wrong with an archive is the registry's to say.</summary>
internal static class CrateArchive
{
    private const long MaxUnpacked = 512L * 1024 * 1024;
    private const int MaxFile = 4 * 1024 * 1024;

    /// <summary>The wanted regular files, by their path below the archive's top folder. Of two with one path the last counts.</summary>
    /// <param name="crate">The file's bytes.</param>
    /// <param name="wanted">Which paths to take; one larger than 4 MiB is left out.</param>
    /// <exception cref="InvalidDataException">The archive cannot be read.</exception>
    public static Dictionary<string, byte[]> Read(byte[] crate, Func<string, bool> wanted)
    {
        var files = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        try
        {
            using var gzip = new GZipStream(new MemoryStream(crate, writable: false), CompressionMode.Decompress);
            using var tar = new TarReader(gzip);
            var left = MaxUnpacked;
            while (tar.GetNextEntry() is { } entry)
            {
                if ((left -= entry.Length) < 0) throw new InvalidDataException("it unpacks to more than 512 MiB");
                var inside = entry.Name.IndexOf('/', StringComparison.Ordinal) is >= 0 and var slash ? entry.Name[(slash + 1)..] : "";
                if (entry.DataStream is { } content && content.Length <= MaxFile && wanted(inside)) files[inside] = ReadAll(content);
            }
        }
        catch (Exception e) when (e is IOException or FormatException or ArgumentException or NotSupportedException)
        {
            throw new InvalidDataException(e.Message, e);
        }

        return files;
    }

    private static byte[] ReadAll(Stream content)
    {
        var bytes = new byte[content.Length];
        content.ReadExactly(bytes);
        return bytes;
    }
}
