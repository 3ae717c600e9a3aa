using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using Pipeline.Tests.Serving;

namespace Pipeline.Tests.Flows;

/// <summary>Real crates of crates.io, through <c>pipeline import</c>.</summary>
public sealed class ImportTests
{
    // What crates.io itself would refuse today of a crate that is new to it (crates-io-behaviour §1.3): its features are too many.
    private static readonly Dictionary<string, string> Refused = new()
    {
        ["winapi-0.3.9.crate"] = "this registry only allows a maximum number of 300 features, but your crate is declaring 399 features.",
    };

    [Fact]
    public async Task Real_crates_are_taken_or_refused_as_by_crates_io_and_their_index_lines_are_the_real_ones()
    {
        await using var pipeline = await PipelineProcess.StartAsync();
        string[] import = ["import", RepositoryFiles.Shared("crates"), "--packaged-for", "crates-io", "--allow-missing-dependencies", "--json"];
        var files = Directory.GetFiles(RepositoryFiles.Shared("crates"), "*.crate");

        var first = await PipelineProgram.RunAsync(pipeline, import);

        first.ExitCode.ShouldBe(1, first.Error);
        using var report = JsonDocument.Parse(first.Output);
        var failed = report.RootElement.GetProperty("failed").EnumerateArray()
            .ToDictionary(item => Path.GetFileName(item.GetProperty("file").GetString()!), item => item.GetProperty("reason").GetString()!.Split('\n')[0]);
        failed.ShouldBe(Refused);
        report.RootElement.GetProperty("published").GetInt32().ShouldBe(files.Length - Refused.Count);

        await pipeline.SettleAsync();
        await LinesShouldBeRealAsync(pipeline, files.Where(file => !Refused.ContainsKey(Path.GetFileName(file))));

        var second = await PipelineProgram.RunAsync(pipeline, import);
        using var again = JsonDocument.Parse(second.Output);
        (again.RootElement.GetProperty("published").GetInt32() + again.RootElement.GetProperty("present").GetInt32()).ShouldBe(files.Length - Refused.Count);
    }

    private static async Task LinesShouldBeRealAsync(RunningPipeline pipeline, IEnumerable<string> files)
    {
        var real = File.ReadLines(RepositoryFiles.Shared("conformance/real-index-lines.jsonl")).ToDictionary(line => Member(line, "cksum"));
        var compared = 0;
        foreach (var file in files)
        {
            var bytes = await File.ReadAllBytesAsync(file);
            var checksum = Convert.ToHexStringLower(SHA256.HashData(bytes));
            var (name, version) = await FindAsync(pipeline, file, checksum);
            (await pipeline.DownloadAsync(name, version)).ShouldBe(bytes);
            if (!real.TryGetValue(checksum, out var line)) continue;
            compared++;
            var ours = (await pipeline.IndexLinesAsync(name)).ShouldHaveSingleItem();
            AsCratesIoWritesIt(ours).ShouldBe(Normal(line), name);
        }

        compared.ShouldBeGreaterThan(0);
    }

    private static async Task<(string Name, string Version)> FindAsync(RunningPipeline pipeline, string file, string checksum)
    {
        var stem = Path.GetFileNameWithoutExtension(file);
        var dash = stem.LastIndexOf('-');
        var line = (await pipeline.IndexLinesAsync(stem[..dash])).ShouldHaveSingleItem();
        Member(line, "cksum").ShouldBe(checksum);
        Member(line, "vers").ShouldBe(stem[(dash + 1)..]);
        return (Member(line, "name"), Member(line, "vers"));
    }

    // Here a dependency on crates.io would be foreign; of a crate made for crates.io it is at home, so no line names a registry.
    private static string AsCratesIoWritesIt(string line)
    {
        line.ShouldNotContain("\"registry\"");
        return Normal(line);
    }

    /// <summary>The line without the members that depend on the day: when it was published, and whether it was yanked since.</summary>
    private static string Normal(string line)
    {
        var entry = JsonNode.Parse(line)!.AsObject();
        entry.Remove("pubtime");
        entry["yanked"] = false;
        return entry.ToJsonString();
    }

    private static string Member(string line, string name)
    {
        using var document = JsonDocument.Parse(line);
        return document.RootElement.GetProperty(name).GetString()!;
    }
}
