using System.Globalization;
using System.Text;
using Pipeline.Bench.Git;
using Pipeline.Bench.Limits;
using Pipeline.Bench.Measuring;
using Pipeline.Contracts.Index;

namespace Pipeline.Bench.Mirror;

/// <summary>
/// The git index of an upstream of 150,000 crates in crates.io's shape (crates-io-behaviour §3): log-normal numbers of versions (median 4, mean
/// 11, a few with hundreds), log-normal numbers of dependencies and features, <c>features2</c> and <c>rust_version</c> where newer crates have them,
/// one version in thirty yanked. Made once, the same each time, and kept.
/// </summary>
internal static class UpstreamIndex
{
    /// <summary>How many crates it has.</summary>
    public const int Crates = SyntheticIndex.Files;

    private const int MostVersions = 900;

    /// <summary>The bare repository, made if need be.</summary>
    public static string Ensure()
    {
        var folder = Path.Combine(RepositoryRoot.Path, "artifacts", "bench", "upstream-150000.git");
        if (System.IO.File.Exists(Path.Combine(folder, "whole"))) return folder;
        Report.Say($"making an upstream's index of {Crates} crates in {folder}");
        if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
        Directory.CreateDirectory(folder);
        GitCommand.Text(folder, "init", "--quiet", "--bare", "--initial-branch=master", ".");
        GitCommand.Feed(folder, Write, "fast-import", "--quiet", "--done");
        System.IO.File.WriteAllText(Path.Combine(folder, "whole"), "");
        return folder;
    }

    /// <summary>A crate's file, with some versions more than it has.</summary>
    public static string File(int number, int more = 0)
    {
        var random = SyntheticIndex.Random(number);
        var versions = Math.Clamp((int)LogNormal(random, median: 4, sigma: 1.4), 1, MostVersions);
        var dependencies = (int)LogNormal(random, median: 2.5, sigma: 0.9);
        var features = (int)LogNormal(random, median: 1, sigma: 1.1) - 1;
        var text = new StringBuilder();
        for (var i = 0; i < versions + more; i++) Line(text, SyntheticIndex.Name(number), i, dependencies, features, random);
        return text.ToString();
    }

    private static void Line(StringBuilder text, string name, int version, int dependencies, int features, Random random)
    {
        var checksum = new byte[32];
        random.NextBytes(checksum);
        var newer = version % 3 == 2;
        text.Append(CultureInfo.InvariantCulture, $"{{\"name\":\"{name}\",\"vers\":\"{version / 100}.{version / 10 % 10}.{version % 10}\",\"deps\":[");
        for (var i = 0; i < dependencies; i++)
        {
            if (i > 0) text.Append(',');
            text.Append(
                CultureInfo.InvariantCulture,
                $"{{\"name\":\"{SyntheticIndex.Name(random.Next(Crates))}\",\"req\":\"^{random.Next(3)}.{random.Next(40)}\",\"features\":[],\"optional\":{(i % 4 == 3 ? "true" : "false")},\"default_features\":true,\"target\":null,\"kind\":\"{(i % 5 == 4 ? "dev" : "normal")}\"}}");
        }

        text.Append("],\"cksum\":\"").Append(Convert.ToHexStringLower(checksum)).Append("\",\"features\":{");
        for (var i = 0; i < features; i++) text.Append(i > 0 ? "," : "").Append(CultureInfo.InvariantCulture, $"\"feature-{i}\":[\"std\"]");
        text.Append('}');
        if (newer && features > 1) text.Append(",\"features2\":{\"extra\":[\"dep:serde\"]}");
        text.Append(",\"yanked\":").Append(random.Next(30) == 0 ? "true" : "false");
        if (newer) text.Append(",\"rust_version\":\"1.70\"");
        if (newer && features > 1) text.Append(",\"v\":2");
        text.Append("}\n");
    }

    // Box and Muller.
    private static double LogNormal(Random random, double median, double sigma) =>
        median * Math.Exp(sigma * Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));

    private static void Write(Stream stream)
    {
        stream.Write("commit refs/heads/master\ncommitter bench <bench@example.org> 1700000000 +0000\ndata 5\nIndex\n"u8);
        stream.Write("M 100644 inline config.json\ndata 42\n{\"dl\":\"https://static.example.org/crates\"}\n"u8);
        for (var i = 0; i < Crates; i++)
        {
            var content = Encoding.UTF8.GetBytes(File(i));
            stream.Write(Encoding.ASCII.GetBytes($"M 100644 inline {IndexPath.Of(SyntheticIndex.Name(i))}\ndata {content.Length}\n"));
            stream.Write(content);
            stream.Write("\n"u8);
        }

        stream.Write("\ndone\n"u8);
    }
}
