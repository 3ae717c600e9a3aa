using System.Text.Json;
using Pipeline.Contracts.Index;

namespace Pipeline.Contracts.Tests.Index;

public class FeatureSplitTests
{
    // crates-io-behaviour §3.4, its table and its neighbours. A feature is `name: value value`.
    [Theory]
    [InlineData("a: dep:x y; b: z w?/q", "", "a b")]
    [InlineData("f1: f2; f2: f3; f3: dep:foo", "", "f1 f2 f3")]
    [InlineData("f1: f2; f2:; f3: f1", "f1 f2 f3", "")]
    [InlineData("new_feat: dep:bar bar?/feat; old_feat:", "old_feat", "new_feat")]
    [InlineData("a: pkg/feat; b: pkg", "a b", "")]
    [InlineData("a: a; b: dep:x", "a", "b")]
    [InlineData("a: b; b: a; c: dep:x", "a b", "c")]
    [InlineData("a: b dep:x; b: a", "", "a b")]
    [InlineData("a: b/x; b: dep:x", "a", "b")]
    [InlineData("a: B; b: dep:x", "a", "b")]
    [InlineData("a: xdep:b", "a", "")]
    [InlineData("", "", "")]
    public void Features_that_need_the_new_syntax_go_to_features2_with_all_that_enable_them(string features, string first, string second)
    {
        var (firstKeys, secondKeys, hasVersion) = Split(Parse(features));

        string.Join(' ', firstKeys).ShouldBe(first);
        string.Join(' ', secondKeys ?? []).ShouldBe(second);
        (secondKeys is null).ShouldBe(second.Length == 0);
        hasVersion.ShouldBe(second.Length > 0);
    }

    [Fact]
    public void After_a_hundred_steps_the_rest_of_a_chain_stays()
    {
        // f000 uses the syntax; f001 enables f000, f002 enables f001, and so on.
        var chain = Enumerable.Range(0, 150).Select(i => Feature($"f{i:000}", i == 0 ? "dep:x" : $"f{i - 1:000}")).Reverse().ToArray();

        var (first, second, _) = Split(chain);

        second.ShouldBe(Enumerable.Range(0, 101).Select(i => $"f{i:000}"));
        first.Count.ShouldBe(49);
    }

    private static (List<string> First, List<string>? Second, bool HasVersion) Split(KeyValuePair<string, IReadOnlyList<string>>[] features)
    {
        var entry = new IndexEntry("x", "1.0.0", [], "", features, false, null, null);
        var line = JsonDocument.Parse(IndexLine.Render(entry)).RootElement;
        var second = line.TryGetProperty("features2", out var found) ? found : (JsonElement?)null;
        return (Keys(line.GetProperty("features")), second is null ? null : Keys(second.Value), line.TryGetProperty("v", out _));
    }

    private static List<string> Keys(JsonElement element) => [.. element.EnumerateObject().Select(property => property.Name)];

    private static KeyValuePair<string, IReadOnlyList<string>> Feature(string name, params string[] values) => new(name, values);

    private static KeyValuePair<string, IReadOnlyList<string>>[] Parse(string text) =>
    [
        .. text.Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
            .Select(feature => feature.Split(": ", 2))
            .Select(parts => Feature(parts[0].TrimEnd(':'), parts.Length < 2 ? [] : parts[1].Split(' '))),
    ];
}
