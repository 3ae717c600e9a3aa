namespace Pipeline.Workers.Tests.Manifests;

public class ManifestTypeTests
{
    [Theory]
    [InlineData("[package]\nname = 1", "integer `1`, expected a string")]
    [InlineData("[package]\nname = -1.0", "floating point `-1.0`, expected a string")]
    [InlineData("[package]\nname = 1.5e300", "floating point `1.5E+300`, expected a string")]
    [InlineData("[package]\nname = true", "boolean `true`, expected a string")]
    [InlineData("[package]\nname = 1979-05-27", "date-time `1979-05-27`, expected a string")]
    [InlineData("[package]\nname = []", "sequence, expected a string")]
    [InlineData("[package]\nname = {}", "map, expected a string")]
    [InlineData("[package]\nlinks = {workspace = true}", "map, expected a string")]
    [InlineData("[package]\ndescription = {workspace = false}", "map, expected a string")]
    [InlineData("[package]\ndescription = {workspace = 'true'}", "map, expected a string")]
    [InlineData("[package]\nkeywords = 'a'", "string \"a\", expected a sequence")]
    [InlineData("[package]\nautobins = 'a\\t\\\"\\u0001'", "string \"a\\\\t\\\\\\\"\\\\u0001\", expected a boolean")]
    [InlineData("[package]\nautolib = \"\\t\\n\\\"\\u0001\\u0000\"", "string \"\\t\\n\\\"\\u{1}\\0\", expected a boolean")]
    [InlineData("[package]\nbuild = 1", "integer `1`, expected a string or a boolean")]
    [InlineData("[package]\nreadme = 1", "integer `1`, expected a string or a boolean")]
    [InlineData("[package]\nauthors = [1]", "integer `1`, expected a string")]
    [InlineData("[package]\nedition = 2021", "integer `2021`, expected a string")]
    [InlineData("package = 'foo'", "string \"foo\", expected struct Package")]
    [InlineData("project = 1", "integer `1`, expected struct Package")]
    [InlineData("dependencies = 1", "integer `1`, expected a map")]
    [InlineData("dependencies.a = 1", "integer `1`, expected a version requirement or a table")]
    [InlineData("dependencies.a.version = 1", "integer `1`, expected a string")]
    [InlineData("dependencies.a.git = true", "boolean `true`, expected a string")]
    [InlineData("dependencies.a.features = 'a'", "string \"a\", expected a sequence")]
    [InlineData("dependencies.a = {workspace = true, optional = 1}", "integer `1`, expected a boolean")]
    [InlineData("target.x = 1", "integer `1`, expected struct Target")]
    [InlineData("target = 1", "integer `1`, expected a map")]
    [InlineData("target.x.dependencies.y = false", "boolean `false`, expected a version requirement or a table")]
    [InlineData("features.a = 'b'", "string \"b\", expected a sequence")]
    [InlineData("features = []", "sequence, expected a map")]
    [InlineData("patch = 1", "integer `1`, expected a map")]
    [InlineData("patch.x.y = 1", "integer `1`, expected a version requirement or a table")]
    [InlineData("lib = 1", "integer `1`, expected struct Product")]
    [InlineData("[lib]\npath = 1", "integer `1`, expected a string")]
    [InlineData("[lib]\nproc_macro = 1", "integer `1`, expected a boolean")]
    [InlineData("[lib]\ncrate-type = 'lib'", "string \"lib\", expected a sequence")]
    [InlineData("[bin]\nname = 'x'", "map, expected a sequence")]
    [InlineData("bin = ['x']", "string \"x\", expected struct Product")]
    [InlineData("[[example]]\nrequired-features = 1", "integer `1`, expected a sequence")]
    public void A_value_of_the_wrong_type_is_named(string toml, string mismatch) =>
        ManifestReading.Refused(toml).ShouldEndWith($"\ninvalid type: {mismatch}\n");

    [Theory]
    [InlineData("[package]\nedition = '2023'")]
    [InlineData("[[bin]]\nedition = '2023'")]
    public void An_edition_that_does_not_exist_is_refused(string toml) =>
        ManifestReading.Refused(toml).ShouldEndWith("\nunknown variant `2023`, expected one of `2015`, `2018`, `2021`, `2024`\n");

    [Theory]
    [InlineData("[dev_dependencies]\n[dev-dependencies]", "dev-dependencies")]
    [InlineData("[build-dependencies]\n[build_dependencies]", "build-dependencies")]
    [InlineData("dependencies.a = {default_features = true, default-features = true}", "default-features")]
    [InlineData("dependencies.a = {registry_index = 'a', registry-index = 'b'}", "registry-index")]
    [InlineData("lib = {proc_macro = true, proc-macro = true}", "proc-macro")]
    public void A_field_under_both_its_names_is_refused(string toml, string field) =>
        ManifestReading.Refused(toml).ShouldEndWith($"\nduplicate field `{field}`\n");

    [Fact]
    public void A_mismatch_is_shown_where_it_stands() =>
        ManifestReading.Refused("[package]\nname = \"foo\"\nversion = \"1.0.0\"\nkeywords = [\"ok\", 1]\n").ShouldBe(
            "TOML parse error at line 4, column 19\n  |\n4 | keywords = [\"ok\", 1]\n  |                   ^\ninvalid type: integer `1`, expected a string\n");

    [Fact]
    public void The_first_mismatch_of_the_text_is_the_one_reported() =>
        ManifestReading.Refused("[features]\na = 1\n[package]\nname = 2\n[dependencies]\nb = 3\n").ShouldContain("integer `1`");

    [Fact]
    public void A_syntax_error_comes_before_every_mismatch() =>
        ManifestReading.Refused("[package]\nname = 1\nversion = \n").ShouldBe(
            "TOML parse error at line 3, column 11\n  |\n3 | version = \n  |           ^\nexpected a value, found a line break\n");

    [Fact]
    public void A_long_string_of_the_wrong_type_is_shortened() =>
        ManifestReading.Refused($"[package]\nautobins = '''{new string('x', 100_000)}'''").Length.ShouldBeLessThan(400);
}
