namespace Pipeline.Contracts.Tests;

public class NameRulesTests
{
    [Theory]
    [InlineData("a")]
    [InlineData("FooBar")]
    [InlineData("foo-bar_9")]
    [InlineData("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")]
    public void An_allowed_name_keeps_its_spelling(string text)
    {
        CrateName.TryParse(text, out var name, out var reject).ShouldBeTrue();
        name!.Text.ShouldBe(text);
        reject.ShouldBeNull();
        NameRules.Check(text, NameUse.Dependency).ShouldBeNull();
        NameRules.Check(text, NameUse.DependencyKey).ShouldBeNull();
    }

    [Theory]
    [InlineData("", "crate name cannot be empty")]
    [InlineData("1foo", "the name `1foo` cannot be used as a crate name, the name cannot start with a digit")]
    [InlineData("-foo", "invalid character `-` in crate name: `-foo`, the first character must be an ASCII character")]
    [InlineData("_foo", "invalid character `_` in crate name: `_foo`, the first character must be an ASCII character")]
    [InlineData("áccênts", "invalid character `á` in crate name: `áccênts`, the first character must be an ASCII character")]
    [InlineData("💝", "invalid character `💝` in crate name: `💝`, the first character must be an ASCII character")]
    [InlineData("foo.bar", "invalid character `.` in crate name: `foo.bar`, characters must be an ASCII alphanumeric characters, `-`, or `_`")]
    [InlineData("a💝b", "invalid character `💝` in crate name: `a💝b`, characters must be an ASCII alphanumeric characters, `-`, or `_`")]
    [InlineData(
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "the crate name `aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa` is too long (max 64 characters)")]
    public void A_refused_crate_name_is_told_why(string text, string expected)
    {
        CrateName.TryParse(text, out var name, out var reject).ShouldBeFalse();
        name.ShouldBeNull();
        reject.ShouldBe(new Reject(RejectCodes.InvalidName, 400, expected));
    }

    [Theory]
    [InlineData(NameUse.Dependency, "_foo", "invalid character `_` in dependency name: `_foo`, the first character must be an ASCII character")]
    [InlineData(NameUse.DependencyKey, "-foo", "invalid character `-` in dependency name: `-foo`, the first character must be an ASCII character, or `_`")]
    [InlineData(NameUse.DependencyKey, "0foo", "the name `0foo` cannot be used as a dependency name, the name cannot start with a digit")]
    [InlineData(NameUse.DependencyKey, "", "dependency name cannot be empty")]
    public void A_refused_dependency_name_is_told_why(NameUse use, string text, string expected) =>
        NameRules.Check(text, use)!.Text.ShouldBe(expected);

    [Fact]
    public void A_dependency_key_may_start_with_an_underscore() => NameRules.Check("_foo", NameUse.DependencyKey).ShouldBeNull();

    [Fact]
    public void Length_is_counted_in_characters_not_in_code_units()
    {
        var emoji64 = "a" + string.Concat(Enumerable.Repeat("💝", 63));
        NameRules.Check(emoji64, NameUse.Crate)!.Text.ShouldStartWith("invalid character `💝`");
        NameRules.Check(emoji64 + "💝", NameUse.Crate)!.Text.ShouldEndWith("is too long (max 64 characters)");
    }

    [Theory]
    [InlineData("Foo-Bar", "foo_bar")]
    [InlineData("foo_bar", "foo_bar")]
    [InlineData("A", "a")]
    public void Names_that_differ_in_case_or_hyphens_are_one_crate(string spelling, string canonical)
    {
        CrateName.FromStored(spelling).Canonical.Text.ShouldBe(canonical);
        CrateName.FromStored(spelling).Canonical.ShouldBe(CanonicalName.Of(canonical));
    }

    [Theory]
    [InlineData("std", true)]
    [InlineData("Proc-Macro", true)]
    [InlineData("coMpiLer_Rt", true)]
    [InlineData("rust_installer", true)]
    [InlineData("COM1", true)]
    [InlineData("lpt0", true)]
    [InlineData("nul", true)]
    [InlineData("com10", false)]
    [InlineData("stdx", false)]
    public void Reserved_names_are_reserved_in_any_spelling(string name, bool reserved) =>
        ReservedNames.Contains(CanonicalName.Of(name)).ShouldBe(reserved);
}
