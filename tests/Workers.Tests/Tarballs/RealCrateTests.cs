using System.Text.Json.Nodes;
using Pipeline.Workers.Tarballs;

namespace Pipeline.Workers.Tests.Tarballs;

public class RealCrateTests
{
    private static readonly IReadOnlyList<JsonObject> Crates = SharedFiles.Crates();

    public static TheoryData<string> Files => [.. Crates.Select(c => (string)c["file"]!)];

    [Theory]
    [MemberData(nameof(Files))]
    public void The_facts_of_a_real_crate_are_those_it_is_listed_with(string file)
    {
        var listed = Crates.Single(c => (string)c["file"]! == file);
        using var stream = File.OpenRead(SharedFiles.Crate(file));

        var facts = TarballReader.Read(stream, new TarballRules($"{listed["name"]}-{listed["version"]}"), TestContext.Current.CancellationToken);

        facts.Problem.ShouldBeNull();
        facts.Checksum.ShouldBe((string)listed["sha256"]!);
        facts.Size.ShouldBe((long)listed["size"]!);
        facts.EntryCount.ShouldBe((int)listed["entries"]!);
        facts.UnpackedSize.ShouldBe((long)listed["unpacked_size"]!);
        facts.Manifest!.Text.ShouldContain($"name = \"{listed["name"]}\"");
        facts.Files.Contains("src/lib.rs").ShouldBe(file is not ("fd-find-8.6.0.crate" or "ripgrep-13.0.0.crate"));
    }
}
