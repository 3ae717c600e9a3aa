namespace Pipeline.Workers.Tests.Manifests;

public class ManifestRulesTests
{
    private const string NotSet = "value from workspace hasn't been set";
    private const string Patched = "crates cannot be published with `[patch]` tables";

    [Theory]
    [InlineData("", "missing field `name`\n")]
    [InlineData("# nothing\n", "missing field `name`\n")]
    [InlineData("[workspace]\nmembers = []\n", "missing field `name`\n")]
    [InlineData("[project]\nversion = '1'\n", "missing field `name`\n")]
    [InlineData("[package]\nversion = '1'", "TOML parse error at line 1, column 1\n  |\n1 | [package]\n  | ^^^^^^^^^\nmissing field `name`\n")]
    [InlineData(
        "[package.metadata]\na = 1",
        "TOML parse error at line 1, column 2\n  |\n1 | [package.metadata]\n  |  ^^^^^^^\nmissing field `name`\n")]
    [InlineData("[package]\nname = 'foo'", "missing field `version`")]
    [InlineData("[project]\nname = 'foo'", "missing field `version`")]
    public void Name_and_version_must_be_there(string toml, string message) => ManifestReading.Refused(toml).ShouldBe(message);

    [Theory]
    [InlineData("[patch.crates-io]\na = { git = 'x' }")]
    [InlineData("[patch.crates-io]")]
    [InlineData("patch = { here = {} }")]
    public void A_patch_table_with_content_is_refused(string patch) => ManifestReading.Refused($"{patch}\n[package]\nname = 'a'\n").ShouldBe(Patched);

    [Fact]
    public void An_empty_patch_table_is_fine() => ManifestReading.Accepted(ManifestReading.Package + "[patch]\n").Name.ShouldBe("foo");

    [Theory]
    [InlineData("version")]
    [InlineData("edition")]
    [InlineData("rust-version")]
    [InlineData("authors")]
    [InlineData("description")]
    [InlineData("homepage")]
    [InlineData("documentation")]
    [InlineData("readme")]
    [InlineData("keywords")]
    [InlineData("categories")]
    [InlineData("license")]
    [InlineData("license-file")]
    [InlineData("repository")]
    public void A_field_left_to_the_workspace_is_refused(string field)
    {
        var version = field == "version" ? "" : "version = '1'\n";

        ManifestReading.Refused($"[package]\nname = 'a'\n{version}{field}.workspace = true\n").ShouldBe(NotSet);
        ManifestReading.Refused($"[project]\nname = 'a'\n{version}{field} = {{ workspace = true, more = 1 }}\n").ShouldBe(NotSet);
    }

    [Theory]
    [InlineData("[dependencies]\na.workspace = true")]
    [InlineData("[dev_dependencies]\na = { workspace = true, optional = true }")]
    [InlineData("[build-dependencies]\na = { features = [], workspace = true }")]
    public void A_dependency_left_to_the_workspace_is_refused(string tables) =>
        ManifestReading.Refused($"{ManifestReading.Package}{tables}\n").ShouldBe(NotSet);

    [Theory]
    [InlineData("[package]\nname = 'a'\nlicense.workspace = true\n[patch.x]\n", Patched)]
    [InlineData("[package]\nname = 'a'\nlicense.workspace = true\n", "missing field `version`")]
    [InlineData("[package]\nname = 'a'\nversion.workspace = true\n[patch.x]\n", Patched)]
    public void The_rules_have_an_order(string toml, string message) => ManifestReading.Refused(toml).ShouldBe(message);

    [Fact]
    public void A_wrong_type_comes_before_every_rule() =>
        ManifestReading.Refused("[package]\nname = 'a'\n[patch.x]\n[features]\nf = 1\n").ShouldContain("invalid type");
}
