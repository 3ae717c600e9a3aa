using System.Formats.Tar;
using System.IO.Compression;
using System.Text.Json;
using Pipeline.Workers.Manifests;

namespace Pipeline.Workers.Tests.Manifests;

/// <summary>The manifests of real packages, as crates.io serves them.</summary>
public class RealManifestTests
{
    [Theory]
    [InlineData("clap-4.0.32", "clap", "stdio-fixture")]
    [InlineData("fd-find-8.6.0", null, "fd")]
    [InlineData("hashbrown-0.12.3", "hashbrown", "")]
    [InlineData("libc-0.2.139", "libc", "")]
    [InlineData("pin-utils-0.1.0", "pin_utils", "")]
    [InlineData("rand-0.8.5", "rand", "")]
    [InlineData("rand_chacha-0.3.1", "rand_chacha", "")]
    [InlineData("ripgrep-13.0.0", null, "rg")]
    [InlineData("winapi-0.3.9", "winapi", "")]
    public void A_real_package_is_read_as_it_is(string package, string? lib, string bins)
    {
        var (manifest, files) = Read(package);

        $"{manifest.Name}-{manifest.Version}".ShouldBe(package);
        TargetInference.TryInfer(manifest, files, out var targets, out var reject).ShouldBeTrue(reject?.Text);
        targets!.LibName.ShouldBe(lib);
        targets.BinNames.ShouldBe(bins.Split(' ', StringSplitOptions.RemoveEmptyEntries));
    }

    [Fact]
    public void No_real_package_is_left_out()
    {
        using var listed = JsonDocument.Parse(File.ReadAllText(RepositoryFiles.Shared("crates/manifest.json")));

        listed.RootElement.GetArrayLength().ShouldBe(9);
    }

    private static (Manifest Manifest, List<string> Files) Read(string package)
    {
        using var file = File.OpenRead(RepositoryFiles.Shared($"crates/{package}.crate"));
        using var unzipped = new GZipStream(file, CompressionMode.Decompress);
        using var archive = new TarReader(unzipped);
        var files = new List<string>();
        Manifest? manifest = null;
        while (archive.GetNextEntry() is { } entry)
        {
            files.Add(entry.Name[(package.Length + 1)..]);
            if (files[^1] != "Cargo.toml")
                continue;
            using var content = new MemoryStream();
            entry.DataStream!.CopyTo(content);
            ManifestReader.TryRead(content.ToArray(), out manifest, out var reject).ShouldBeTrue(reject?.Text);
        }
        return (manifest.ShouldNotBeNull(), files);
    }
}
