using System.IO.Compression;
using Pipeline.Bench.Crates;
using Pipeline.Bench.Limits;
using Pipeline.Bench.Measuring;
using Pipeline.Workers.Tarballs;

namespace Pipeline.Bench.Tarballs;

/// <summary><c>tarball</c>: what the check of an archive costs, beside gunzip + untar + SHA-256 of the same bytes, and what memory it takes.</summary>
internal static class TarballBench
{
    /// <summary>Runs it.</summary>
    public static Task RunAsync(Arguments arguments, Report report)
    {
        _ = arguments;
        var samples = Enumerable.Range(0, 64).Select(i => SampleCrates.Make(SampleCrates.Name("t", i), "1.0.0")).ToArray();
        var at = 0;
        var own = Cost.Of(() => Check(samples[at++ % samples.Length], $"{SampleCrates.Name("t", (at - 1) % samples.Length)}-1.0.0"));
        var limit = Cost.Of(() => UnpackLimit.Unpack(samples[at++ % samples.Length]));
        report.Add(new Measured("tarball check, 5 KB crate", own, "ms", limit));

        double allOwn = 0, allLimit = 0;
        foreach (var file in Directory.EnumerateFiles(Path.Combine(RepositoryRoot.Shared, "crates"), "*.crate").Order(StringComparer.Ordinal))
        {
            var archive = File.ReadAllBytes(file);
            var root = Path.GetFileNameWithoutExtension(file);
            if (Facts(archive, root).Problem is { } problem) throw new InvalidOperationException($"{root}: {problem.Text}");
            var mine = Cost.Of(() => Check(archive, root));
            var theirs = Cost.Of(() => UnpackLimit.Unpack(archive));
            report.Add(new Measured($"tarball check, {root} ({archive.Length / 1024} KB)", mine, "ms", theirs));
            allOwn += mine;
            allLimit += theirs;
        }

        report.Add(new Measured("tarball check, sum of the real crates", allOwn, "ms", allLimit, "<= 1.5 x"));
        foreach (var (name, bomb) in Bombs()) report.Add(new Measured($"peak memory of a check, {name}", PeakOf(bomb), "MiB", Figure: "<= 16"));
        return Task.CompletedTask;
    }

    private static void Check(byte[] archive, string root) => _ = Facts(archive, root);

    private static TarballFacts Facts(byte[] archive, string root) => TarballReader.Read(new MemoryStream(archive, writable: false), new TarballRules(root));

    /// <summary>How much the process grows at most while it checks, from a collected state.</summary>
    private static double PeakOf(byte[] archive)
    {
        GC.Collect(2, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        GC.WaitForPendingFinalizers();
        ProcessCpu.ForgetPeak();
        var before = ProcessCpu.Own.Memory().Now;
        _ = Facts(archive, "bomb-1.0.0");
        return ProcessCpu.Own.Memory().Peak - before;
    }

    private static IEnumerable<(string Name, byte[] Archive)> Bombs()
    {
        yield return ("a file of 500 MB of zeros", Bombed(tar =>
        {
            tar.Write(TarBlocks.File("bomb-1.0.0/src/lib.rs", 500_000_000));
            tar.Write(new byte[500_000_000]);
        }));
        yield return ("300,000 empty files", Bombed(tar =>
        {
            for (var i = 0; i < 300_000; i++) tar.Write(TarBlocks.File($"bomb-1.0.0/src/{i:x8}/{i:x8}/main.rs", 0));
        }));
        yield return ("30 manifests of 1 MB", Bombed(tar =>
        {
            var manifest = new byte[1024 * 1024];
            manifest.AsSpan().Fill((byte)'#');
            for (var i = 0; i < 30; i++)
            {
                tar.Write(TarBlocks.File("bomb-1.0.0/Cargo.toml", manifest.Length));
                tar.Write(manifest);
            }
        }));
        yield return ("a pax header of 200 MB", Bombed(tar =>
        {
            tar.Write(TarBlocks.Header("bomb-1.0.0/pax", 200_000_000, 'x'));
            tar.Write(new byte[200_000_000]);
        }));
    }

    private static byte[] Bombed(Action<Stream> write)
    {
        using var buffer = new MemoryStream();
        using (var gzip = new GZipStream(buffer, CompressionLevel.Fastest, leaveOpen: true))
        {
            write(gzip);
            gzip.Write(new byte[1024]);
        }

        return buffer.ToArray();
    }
}
