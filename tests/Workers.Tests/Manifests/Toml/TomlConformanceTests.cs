using System.Text.Json;
using Pipeline.Workers.Manifests.Toml;

namespace Pipeline.Workers.Tests.Manifests.Toml;

/// <summary>The public cases of toml-test for TOML 1.1.</summary>
public class TomlConformanceTests
{
    private static readonly Dictionary<string, JsonElement> Cases = File
        .ReadLines(RepositoryFiles.Shared("conformance/toml.jsonl"))
        .Select(line => JsonDocument.Parse(line).RootElement)
        .ToDictionary(line => line.GetProperty("id").GetString()!);

    public static IEnumerable<TheoryDataRow<string>> Ids => Cases.Keys.Select(id => new TheoryDataRow<string>(id));

    [Theory]
    [MemberData(nameof(Ids))]
    public void A_case_of_toml_test_is_read_as_it_says(string id)
    {
        var expected = Cases[id];
        var bytes = expected.GetProperty("toml_base64").GetBytesFromBase64();

        var valid = TomlParser.TryParse(bytes, out var root, out var error);

        valid.ShouldBe(expected.GetProperty("valid").GetBoolean(), error?.Render());
        if (root is not null)
            TomlTagged.Difference(root, expected.GetProperty("json")).ShouldBeNull();
        else
            error!.Render().ShouldEndWith(error.Message + "\n");
    }

    [Fact]
    public void All_cases_are_there() => Cases.Count.ShouldBeGreaterThanOrEqualTo(427);
}
