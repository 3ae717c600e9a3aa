using System.Buffers.Binary;
using System.Formats.Tar;
using System.IO.Compression;
using System.Text;

namespace Pipeline.Tests.Generating;

/// <summary>Makes .crate files and publish bodies in memory, as cargo lays them out (cargo-client-behaviour §1.4).</summary>
internal static class CrateFile
{
    /// <summary>A gzip'd tar of files below <c>{name}-{version}/</c>; the same files give the same bytes.</summary>
    public static byte[] Pack(string name, string version, params IEnumerable<(string Path, string Content)> files)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        using (var tar = new TarWriter(gzip, TarEntryFormat.Gnu))
        {
            foreach (var (path, content) in files)
            {
                tar.WriteEntry(new GnuTarEntry(TarEntryType.RegularFile, $"{name}-{version}/{path}")
                {
                    DataStream = new MemoryStream(Encoding.UTF8.GetBytes(content), writable: false),
                    ModificationTime = DateTimeOffset.UnixEpoch,
                });
            }
        }

        return packed.ToArray();
    }

    /// <summary>The body of a publish: both parts, each behind its length.</summary>
    public static byte[] Body(ReadOnlySpan<byte> json, ReadOnlySpan<byte> crate)
    {
        var body = new byte[8 + json.Length + crate.Length];
        BinaryPrimitives.WriteInt32LittleEndian(body, json.Length);
        json.CopyTo(body.AsSpan(4));
        BinaryPrimitives.WriteInt32LittleEndian(body.AsSpan(4 + json.Length), crate.Length);
        crate.CopyTo(body.AsSpan(8 + json.Length));
        return body;
    }

    /// <summary>The body of a publish whose JSON says no more than it must.</summary>
    public static byte[] Body(string name, string version, ReadOnlySpan<byte> crate) =>
        Body(Encoding.UTF8.GetBytes($$"""{"name":"{{name}}","vers":"{{version}}","deps":[]}"""), crate);

    /// <summary>A crate that breaks no rule, with nothing in it but what that takes.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="version">Its version.</param>
    /// <param name="source">The text of <c>src/lib.rs</c>; other text, other checksum.</param>
    public static byte[] Plain(string name, string version, string source = "") =>
        Pack(name, version, ("Cargo.toml", PlainManifest(name, version)), ("src/lib.rs", source));

    /// <summary>The manifest of such a crate.</summary>
    public static string PlainManifest(string name, string version) =>
        $"""
        [package]
        name = "{name}"
        version = "{version}"
        edition = "2021"
        description = "one of many"
        license = "MIT"

        """;
}
