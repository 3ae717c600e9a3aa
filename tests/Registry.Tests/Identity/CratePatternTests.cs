using Pipeline.Registry.Identity;

namespace Pipeline.Registry.Tests.Identity;

public class CratePatternTests
{
    [Theory]
    [InlineData("*", "anything")]
    [InlineData("foo", "foo")]
    [InlineData("f*", "foo")]
    [InlineData("foo*", "foo")]
    [InlineData("foo-*", "foo-bar")]
    public void A_pattern_covers(string text, string name)
    {
        CratePattern.TryParse(text, out var pattern).ShouldBeTrue();
        pattern.Matches(name).ShouldBeTrue();
    }

    [Theory]
    [InlineData("foo", "foo2")]
    [InlineData("foo", "Foo")]
    [InlineData("foo-bar", "foo_bar")]
    [InlineData("foo*", "fo")]
    [InlineData("foo-*", "foo_bar")]
    public void A_pattern_does_not_cover(string text, string name)
    {
        CratePattern.TryParse(text, out var pattern).ShouldBeTrue();
        pattern.Matches(name).ShouldBeFalse();
    }

    [Theory]
    [InlineData("")]
    [InlineData("te*st")]
    [InlineData("test#")]
    [InlineData("**")]
    [InlineData("1a")]
    public void It_is_no_pattern(string text) => CratePattern.TryParse(text, out _).ShouldBeFalse();
}
