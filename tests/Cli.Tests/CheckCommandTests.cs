using System.Text.Json;
using System.Text.Json.Nodes;
using Pipeline.Cli.Tests.Importing;

namespace Pipeline.Cli.Tests;

public class CheckCommandTests
{
    [Fact]
    public async Task A_real_crate_gets_the_line_that_crates_io_gave_it()
    {
        var real = File.ReadLines(RepositoryFiles.Shared("conformance/real-index-lines.jsonl")).ToDictionary(KeyOf, WithoutPublicationTime);
        var compared = 0;
        foreach (var file in RepositoryFiles.Crates())
        {
            using var session = new TestSession();
            if (await session.RunAsync("check", "--packaged-for", "crates-io", file) != 0 || !real.TryGetValue(KeyOf(session.Output), out var line)) continue;
            session.Output.TrimEnd().ShouldBe(line);
            compared++;
        }

        compared.ShouldBeGreaterThan(1);
    }

    [Fact]
    public async Task A_refusal_is_told_in_the_registrys_words()
    {
        using var session = new TestSession();
        (await session.RunAsync("check", "--json", RepositoryFiles.Shared("crates/winapi-0.3.9.crate"))).ShouldBe(ExitCodes.Failed);
        var result = JsonNode.Parse(session.Output)!;
        result["accepted"]!.GetValue<bool>().ShouldBeFalse();
        result["status"]!.GetValue<int>().ShouldBe(400);
        result["reason"]!.GetValue<string>().ShouldStartWith("this registry only allows a maximum number of 300 features");
        result["index_line"].ShouldBeNull();
    }

    [Fact]
    public async Task Dependencies_are_elsewhere_unless_the_file_was_made_for_this_registry()
    {
        using var folder = new TestSession();
        var file = Path.Combine(folder.Data, "a-1.0.0.crate");
        File.WriteAllBytes(file, CrateBuilder.Library("a", "1.0.0", "serde"));
        (await folder.RunAsync("check", file)).ShouldBe(0);
        folder.Output.ShouldContain("\"registry\":\"https://github.com/rust-lang/crates.io-index\"");

        using var here = new TestSession();
        (await here.RunAsync("check", file, "--packaged-for", "crates-io")).ShouldBe(0);
        here.Output.ShouldNotContain("registry");
    }

    [Theory]
    [InlineData("std", "1.0.0", "cannot upload a crate with a reserved name")]
    [InlineData("1a", "1.0.0", "the name cannot start with a digit")]
    [InlineData("a", "1.0", "invalid semver version")]
    public async Task Names_and_versions_are_judged(string name, string version, string said)
    {
        using var session = new TestSession();
        var file = Path.Combine(session.Data, "x-1.0.0.crate");
        File.WriteAllBytes(file, CrateBuilder.Library(name, version));
        (await session.RunAsync("check", file)).ShouldBe(ExitCodes.Failed);
        session.Output.ShouldContain(said);
    }

    [Fact]
    public async Task A_broken_archive_is_refused_and_a_missing_file_is_an_error()
    {
        using var session = new TestSession();
        var file = Path.Combine(session.Data, "a-1.0.0.crate");
        File.WriteAllText(file, "no gzip");
        (await session.RunAsync("check", file, Path.Combine(session.Data, "missing-1.0.0.crate"))).ShouldBe(ExitCodes.Failed);
        session.Output.ShouldContain("uploaded tarball is malformed or too large when decompressed");
        session.Error.ShouldContain("missing-1.0.0.crate");
    }

    private static string KeyOf(string line)
    {
        using var json = JsonDocument.Parse(line);
        return $"{json.RootElement.GetProperty("name").GetString()} {json.RootElement.GetProperty("vers").GetString()}";
    }

    // The registry does not write when a version was published, as crates.io does not by default (crates-io-behaviour §3.1).
    private static string WithoutPublicationTime(string line) =>
        line.IndexOf(",\"pubtime\":\"", StringComparison.Ordinal) is >= 0 and var at ? line.Remove(at, ",\"pubtime\":\"2020-04-22T16:13:27Z\"".Length) : line;
}
