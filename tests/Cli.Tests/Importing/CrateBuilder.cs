using System.Formats.Tar;
using System.IO.Compression;
using System.Text;

namespace Pipeline.Cli.Tests.Importing;

/// <summary>Makes .crate files.</summary>
internal static class CrateBuilder
{
    /// <summary>A .crate of a manifest and other files, all below one folder.</summary>
    public static byte[] Build(string root, string manifest, params (string Path, string Content)[] files)
    {
        using var buffer = new MemoryStream();
        using (var gzip = new GZipStream(buffer, CompressionLevel.Fastest, leaveOpen: true))
        using (var tar = new TarWriter(gzip, TarEntryFormat.Gnu))
        {
            foreach (var (path, content) in files.Prepend(("Cargo.toml", manifest)))
                tar.WriteEntry(new GnuTarEntry(TarEntryType.RegularFile, $"{root}/{path}") { DataStream = new MemoryStream(Encoding.UTF8.GetBytes(content)) });
        }

        return buffer.ToArray();
    }

    /// <summary>A small library that depends on others here, each by <c>name = "1"</c>.</summary>
    public static byte[] Library(string name, string version, params string[] dependencies) => Build(
        $"{name}-{version}",
        $"""
        [package]
        name = "{name}"
        version = "{version}"
        edition = "2021"
        description = "made for a test"
        license = "MIT"

        [dependencies]
        {string.Join('\n', dependencies.Select(dependency => $"{dependency} = \"1\""))}
        """,
        ("src/lib.rs", ""));
}
