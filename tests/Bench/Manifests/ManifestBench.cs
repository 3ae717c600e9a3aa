using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using Pipeline.Bench.Crates;
using Pipeline.Bench.Measuring;
using Pipeline.Contracts;
using Pipeline.Workers.Manifests;
using Pipeline.Workers.Manifests.Toml;

namespace Pipeline.Bench.Manifests;

/// <summary><c>manifest</c>: what it costs to parse a manifest, to read it, and to hold it against the rules.</summary>
internal static class ManifestBench
{
    private static readonly RegistryPolicy Policy = new([], [WellKnownRegistries.CratesIoIndex]);

    /// <summary>Runs it.</summary>
    public static Task RunAsync(Arguments arguments, Report report)
    {
        _ = arguments;
        Measure(report, "5 KB crate", Encoding.UTF8.GetBytes(SampleCrates.Manifest("sample-crate", "1.0.0")));
        foreach (var file in Directory.EnumerateFiles(Path.Combine(RepositoryRoot.Shared, "crates"), "*.crate").Order(StringComparer.Ordinal))
        {
            var root = Path.GetFileNameWithoutExtension(file);
            Measure(report, root, Find(file, $"{root}/Cargo.toml"));
        }

        return Task.CompletedTask;
    }

    private static void Measure(Report report, string name, byte[] text)
    {
        if (!ManifestReader.TryRead(text, out var manifest, out var reject)) throw new InvalidOperationException($"{name}: {reject.Text}");
        var claims = new PublishClaims(CrateName.FromStored(manifest.Name), CrateVersion.Parse(manifest.Version), []);
        var parse = Cost.Of(() => _ = TomlParser.TryParse(text, out _, out _));
        var read = Cost.Of(() => _ = ManifestReader.TryRead(text, out _, out _));
        var decide = Cost.Of(() => _ = ManifestRules.TryAccept(claims, manifest, new PublishLimits(), Policy, out _, out _));
        report.Add(new Measured($"{name}: TOML of {text.Length} bytes parsed", parse * 1000, "us"));
        report.Add(new Measured($"{name}: manifest read, parsing included", read * 1000, "us"));
        report.Add(new Measured($"{name}: held against the rules", decide * 1000, "us"));
    }

    private static byte[] Find(string file, string path)
    {
        using var gzip = new GZipStream(File.OpenRead(file), CompressionMode.Decompress);
        using var tar = new TarReader(gzip);
        while (tar.GetNextEntry() is { } entry)
        {
            if (entry.Name != path) continue;
            using var content = new MemoryStream();
            entry.DataStream!.CopyTo(content);
            return content.ToArray();
        }

        throw new InvalidOperationException($"{file} has no {path}");
    }
}
