using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Pipeline.Contracts.Index;

namespace Pipeline.Contracts.Tests.Index;

public class IndexLineTests
{
    private const string Cksum = "b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9";

    [Fact]
    public void An_index_file_has_the_golden_bytes()
    {
        var entries = GoldenEntries();

        var bytes = IndexFile.Render(entries.Select(entry =>
        {
            var (head, tail) = IndexLine.RenderSplit(entry);
            return (head, entry.Yanked, tail);
        }));

        Encoding.UTF8.GetString(bytes).ShouldBe(Encoding.UTF8.GetString(RepositoryFiles.Golden("index-file.jsonl")));
        bytes.ShouldBe(RepositoryFiles.Golden("index-file.jsonl"));
    }

    [Fact]
    public void An_index_file_without_versions_has_no_bytes() => IndexFile.Render([]).ShouldBeEmpty();

    [Fact]
    public void Every_line_of_the_real_index_is_rendered_to_the_byte()
    {
        var lines = File.ReadAllLines(RepositoryFiles.Shared("conformance/real-index-lines.jsonl"));

        lines.Length.ShouldBeGreaterThan(10);
        foreach (var line in lines)
        {
            var entry = ReadLine(line, out var expected);
            Encoding.UTF8.GetString(IndexLine.Render(entry)).ShouldBe(expected);
            Encoding.UTF8.GetString(IndexLine.Render(entry with { Deps = [.. entry.Deps.Reverse()], Features = [.. entry.Features.Reverse()] }))
                .ShouldBe(expected, "the order given does not matter");
        }
    }

    [Fact]
    public void Every_index_line_of_the_conformance_file_is_rendered_in_its_order()
    {
        var relaxed = new JsonSerializerOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
        var rendered = 0;
        foreach (var line in File.ReadLines(RepositoryFiles.Shared("conformance/publish-cases.jsonl")))
        {
            if (JsonNode.Parse(line)!["expect_index_last"] is not { } expected)
                continue;
            rendered++;
            var entry = ReadLine(expected.ToJsonString(relaxed), out var text);
            Encoding.UTF8.GetString(IndexLine.Render(entry with { Deps = [.. entry.Deps.Reverse()] })).ShouldBe(text);
        }

        rendered.ShouldBeGreaterThan(10);
    }

    [Theory]
    [InlineData(true, ":true,")]
    [InlineData(false, ":false,")]
    public void Head_and_tail_around_the_yank_state_are_the_line(bool yanked, string between)
    {
        var entry = Entry() with { Yanked = yanked, Links = "z" };

        var (head, tail) = IndexLine.RenderSplit(entry);

        head.ShouldEndWith(",\"yanked\":");
        tail.ShouldBe(",\"links\":\"z\"}");
        Encoding.UTF8.GetString(IndexLine.Render(entry)).ShouldContain($"\"yanked\"{between}");
        IndexLine.RenderSplit(entry with { Yanked = !yanked }).ShouldBe((head, tail));
    }

    // What Rust's serde_json writes: quote, backslash and controls escaped, everything else raw.
    [Theory]
    [InlineData("a\"b\\c/d", """a\"b\\c/d""")]
    [InlineData("\b\f\n\r\t", """\b\f\n\r\t""")]
    [InlineData("\0\u0001\v\u001f", """\u0000\u0001\u000b\u001f""")]
    [InlineData("<>&'+=`\u007f\u0080\u2028\u2029\ufeff", "<>&'+=`\u007f\u0080\u2028\u2029\ufeff")]
    [InlineData("你好 é 🦀", "你好 é 🦀")]
    public void Strings_are_escaped_as_little_as_serde_json_does(string text, string escaped)
    {
        var (head, tail) = IndexLine.RenderSplit(Entry() with { Links = text });

        tail.ShouldBe($",\"links\":\"{escaped}\"}}");
        JsonDocument.Parse(head + "false" + tail).RootElement.GetProperty("links").GetString().ShouldBe(text);
    }

    [Fact]
    public void Dependencies_are_sorted_by_name_kind_req_optional_default_features_target_package_and_features()
    {
        IndexDependency[] sorted =
        [
            Dependency("B"),
            Dependency("a"),
            Dependency("a") with { Features = ["x"] },
            Dependency("a") with { Features = ["x", "a"] },
            Dependency("a") with { Features = ["y"] },
            Dependency("a") with { Registry = "sparse+https://example.com/" },
            Dependency("a") with { Package = "p" },
            Dependency("a") with { Target = "cfg(unix)" },
            Dependency("a") with { DefaultFeatures = true },
            Dependency("a") with { Optional = true },
            Dependency("a") with { Req = "^2" },
            Dependency("a") with { Kind = DependencyKind.Build },
            Dependency("a") with { Kind = DependencyKind.Dev },
            Dependency("a-b"),
            Dependency("a_b"),
            Dependency("ab"),
        ];
        // The registry is compared after the features, so it stands between equal features and the next ones.
        (sorted[1], sorted[2], sorted[3], sorted[4], sorted[5]) = (sorted[1], sorted[5], sorted[2], sorted[3], sorted[4]);

        var shuffled = sorted.Reverse().ToArray();
        Array.Sort(shuffled, DependencyOrder.Instance);

        shuffled.ShouldBe(sorted);
    }

    [Fact]
    public void A_feature_listed_twice_is_a_fault()
    {
        var entry = Entry() with { Features = [Feature("a"), Feature("a", "b")] };

        Should.Throw<ArgumentException>(() => IndexLine.Render(entry)).Message.ShouldContain("`a`");
    }

    private static IndexEntry[] GoldenEntries() =>
    [
        Entry(),
        Entry() with
        {
            Vers = "0.2.0-rc.1+build.5",
            Deps =
            [
                Dependency("serde") with { Kind = DependencyKind.Dev, Features = ["derive", "alloc"], DefaultFeatures = true },
                Dependency("serde") with { Req = ">=1, <3" },
                Dependency("serde") with { Kind = DependencyKind.Build, Optional = true },
                Dependency("my-name") with { Req = ">0", Package = "package-name", Registry = "https://example.com/index" },
                Dependency("libc") with { Target = "cfg(target_os = \"windows\")" },
            ],
            Features = [Feature("std"), Feature("default", "std", "serde/std")],
            Yanked = true,
            RustVersion = "1.85",
        },
        Entry() with
        {
            Vers = "0.2.0",
            Features =
            [
                Feature("\U00010000"),
                Feature("\uffee"),
                Feature("old", "pkg/feat"),
                Feature("new", "dep:bar", "bar?/feat"),
                Feature("all", "old", "new"),
            ],
            Links = "ssl",
            RustVersion = "1.60",
        },
    ];

    private static IndexEntry Entry() => new("Foo_bar", "0.1.0", [], Cksum, [], Yanked: false, Links: null, RustVersion: null);

    private static IndexDependency Dependency(string name) =>
        new(name, "^1", [], Optional: false, DefaultFeatures: false, Target: null, DependencyKind.Normal, Registry: null, Package: null);

    private static KeyValuePair<string, IReadOnlyList<string>> Feature(string name, params string[] values) => new(name, values);

    private static IndexEntry ReadLine(string line, out string expected)
    {
        var root = JsonDocument.Parse(line).RootElement;
        // The one key that we never write.
        expected = root.TryGetProperty("pubtime", out var time)
            ? line.Replace($",\"pubtime\":\"{time.GetString()}\"", "", StringComparison.Ordinal)
            : line;
        expected.ShouldNotContain("pubtime");
        expected = BroughtUpToDate(expected, root);
        var features = root.GetProperty("features").EnumerateObject().ToList();
        if (root.TryGetProperty("features2", out var second))
            features.AddRange(second.EnumerateObject());
        return new IndexEntry(
            root.GetProperty("name").GetString()!,
            root.GetProperty("vers").GetString()!,
            [.. root.GetProperty("deps").EnumerateArray().Select(ReadDependency)],
            root.GetProperty("cksum").GetString()!,
            [.. features.Select(feature => Feature(feature.Name, Strings(feature.Value)))],
            root.GetProperty("yanked").GetBoolean(),
            Optional(root, "links"),
            Optional(root, "rust_version"));
    }

    // Two of the lines are older than a rule that the index follows today (crates-io-behaviour §3.3, and §3.4 step 2).
    private static string BroughtUpToDate(string line, JsonElement root)
    {
        switch (root.GetProperty("name").GetString())
        {
            case "powerfmt":
                const string moved = "\"default\":[\"std\",\"macros\"],";
                line.ShouldContain(moved);
                return line.Replace(moved, "", StringComparison.Ordinal)
                    .Replace("\"features2\":{", "\"features2\":{" + moved, StringComparison.Ordinal);
            case "tokio-native-tls":
                var deps = root.GetProperty("deps");
                var sorted = deps.EnumerateArray()
                    .OrderBy(dep => dep.GetProperty("name").GetString(), StringComparer.Ordinal)
                    .ThenByDescending(dep => dep.GetProperty("kind").GetString(), StringComparer.Ordinal)
                    .Select(dep => dep.GetRawText());
                return line.Replace(deps.GetRawText(), $"[{string.Join(',', sorted)}]", StringComparison.Ordinal);
            default:
                return line;
        }
    }

    private static IndexDependency ReadDependency(JsonElement dep) => new(
        dep.GetProperty("name").GetString()!,
        dep.GetProperty("req").GetString()!,
        Strings(dep.GetProperty("features")),
        dep.GetProperty("optional").GetBoolean(),
        dep.GetProperty("default_features").GetBoolean(),
        Optional(dep, "target"),
        Enum.Parse<DependencyKind>(dep.GetProperty("kind").GetString()!, ignoreCase: true),
        Optional(dep, "registry"),
        Optional(dep, "package"));

    private static string[] Strings(JsonElement array) => [.. array.EnumerateArray().Select(value => value.GetString()!)];

    private static string? Optional(JsonElement element, string key) =>
        element.TryGetProperty(key, out var value) ? value.GetString() : null;
}
