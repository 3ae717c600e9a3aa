namespace Pipeline.Contracts.Tests;

public class FeatureRulesTests
{
    private const string BadFirst = "the first character must be a Unicode XID start character or digit (most letters or `_` or `0` to `9`)";
    private const string BadLater = "characters must be Unicode XID characters, `+`, `-`, or `.` (numbers, `+`, `-`, `_`, `.`, or most letters)";
    private const string BadKey = "characters must be an ASCII alphanumeric characters, `-`, or `_`";

    [Theory]
    [InlineData("foo")]
    [InlineData("1foo")]
    [InlineData("_foo-_+.1")]
    [InlineData("c++20")]
    [InlineData("foo.你好世界")]
    [InlineData("𝒳")]
    [InlineData("a·b")]
    [InlineData("ーー")]
    [InlineData("a\u200D")]
    public void An_allowed_feature_name_is_also_an_allowed_value(string name)
    {
        FeatureRules.CheckName(name).ShouldBeNull();
        FeatureRules.CheckValue(name).ShouldBeNull();
    }

    [Theory]
    [InlineData("", "feature cannot be empty")]
    [InlineData("~foo", "invalid character `~` in feature `~foo`, " + BadFirst)]
    [InlineData("-foo", "invalid character `-` in feature `-foo`, " + BadFirst)]
    [InlineData("🍺", "invalid character `🍺` in feature `🍺`, " + BadFirst)]
    [InlineData("\u0300a", "invalid character `\u0300` in feature `\u0300a`, " + BadFirst)]
    [InlineData("ﾞa", "invalid character `ﾞ` in feature `ﾞa`, " + BadFirst)]
    [InlineData("foo?bar", "invalid character `?` in feature `foo?bar`, " + BadLater)]
    [InlineData("a🍺", "invalid character `🍺` in feature `a🍺`, " + BadLater)]
    [InlineData("a\u037A", "invalid character `\u037A` in feature `a\u037A`, " + BadLater)]
    [InlineData("a\u2E2F", "invalid character `\u2E2F` in feature `a\u2E2F`, " + BadLater)]
    public void A_refused_feature_name_is_told_why(string name, string expected)
    {
        FeatureRules.CheckName(name).ShouldBe(new Reject(RejectCodes.InvalidFeature, 400, expected));
        FeatureRules.CheckValue(name).ShouldBe(FeatureRules.CheckName(name));
    }

    [Theory]
    [InlineData("krate/c++20")]
    [InlineData("foo?/bar")]
    [InlineData("_foo/bar")]
    [InlineData("dep:foo")]
    [InlineData("dep:_foo")]
    [InlineData("~anything~dep:foo")]
    public void A_value_may_name_a_dependency(string value) => FeatureRules.CheckValue(value).ShouldBeNull();

    [Theory]
    [InlineData("/", "dependency name cannot be empty")]
    [InlineData("?/a", "dependency name cannot be empty")]
    [InlineData("a/", "feature cannot be empty")]
    [InlineData("%/%", "invalid character `%` in dependency name: `%`, the first character must be an ASCII character, or `_`")]
    [InlineData("c++20/wow", "invalid character `+` in dependency name: `c++20`, " + BadKey)]
    [InlineData("foo??/bar", "invalid character `?` in dependency name: `foo?`, " + BadKey)]
    [InlineData("dep:foo?/bar", "invalid character `:` in dependency name: `dep:foo`, " + BadKey)]
    [InlineData("foo/?bar", "invalid character `?` in feature `?bar`, " + BadFirst)]
    [InlineData("foo/a/b", "invalid character `/` in feature `a/b`, " + BadLater)]
    [InlineData("dep:", "dependency name cannot be empty")]
    [InlineData("dep:0foo", "the name `0foo` cannot be used as a dependency name, the name cannot start with a digit")]
    [InlineData("dep:dep:foo", "invalid character `:` in dependency name: `dep:foo`, " + BadKey)]
    [InlineData("0foo?/bar.web", "the name `0foo` cannot be used as a dependency name, the name cannot start with a digit")]
    public void A_refused_value_is_told_why(string value, string expected) => FeatureRules.CheckValue(value)!.Text.ShouldBe(expected);
}
