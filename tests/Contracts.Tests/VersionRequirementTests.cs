using FsCheck;
using FsCheck.Fluent;

namespace Pipeline.Contracts.Tests;

public class VersionRequirementTests
{
    [Theory]
    [InlineData("1", "^1")]
    [InlineData("1.0.0", "^1.0.0")]
    [InlineData("> 0", ">0")]
    [InlineData(">=1,<2", ">=1, <2")]
    [InlineData(">1.0 , <= 2.9", ">1.0, <=2.9")]
    [InlineData("1.x", "1.*")]
    [InlineData("1.2.X", "1.2.*")]
    [InlineData("1.*.*", "1.*")]
    [InlineData(">=1.*", ">=1")]
    [InlineData("^1.2.*", "^1.2")]
    [InlineData("= 1.0.0", "=1.0.0")]
    [InlineData("~1.2", "~1.2")]
    [InlineData("1.0.0+b", "^1.0.0")]
    [InlineData("1.2.3-alpha.1+zz", "^1.2.3-alpha.1")]
    [InlineData("  1.0.0-beta  ", "^1.0.0-beta")]
    [InlineData(">=0", ">=0")]
    public void A_requirement_is_printed_in_one_way(string text, string printed)
    {
        VersionRequirement.TryParse(text, out var requirement).ShouldBeTrue();
        requirement!.Text.ShouldBe(printed);
        requirement.IsWildcard.ShouldBeFalse();
        VersionRequirement.Parse(printed).Text.ShouldBe(printed);
    }

    [Theory]
    [InlineData("*")]
    [InlineData("x")]
    [InlineData("X")]
    [InlineData(" * ")]
    public void The_bare_wildcard_is_known_as_such(string text)
    {
        var requirement = VersionRequirement.Parse(text);
        requirement.IsWildcard.ShouldBeTrue();
        requirement.Text.ShouldBe("*");
    }

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("broken")]
    [InlineData("latest")]
    [InlineData(">=1 <2")]
    [InlineData("*, 1")]
    [InlineData("1, *")]
    [InlineData("*.*")]
    [InlineData("*.1")]
    [InlineData("1.*.1")]
    [InlineData("1.0.0,")]
    [InlineData(",1")]
    [InlineData("1,,2")]
    [InlineData("\t1")]
    [InlineData("1\n")]
    [InlineData("01")]
    [InlineData("1.")]
    [InlineData("1.2.3.4")]
    [InlineData("1-beta")]
    [InlineData("1.2+b")]
    [InlineData("1.2.*-beta")]
    [InlineData("1.2.3-")]
    [InlineData("1.2.3+")]
    [InlineData(">")]
    [InlineData(">*")]
    [InlineData("=>1")]
    [InlineData("18446744073709551616")]
    [InlineData("git")]
    public void Text_that_is_no_requirement_is_refused(string text) => VersionRequirement.TryParse(text, out _).ShouldBeFalse();

    [Fact]
    public void A_requirement_may_have_32_comparators()
    {
        VersionRequirement.TryParse(string.Join(",", Enumerable.Repeat("1", 32)), out _).ShouldBeTrue();
        VersionRequirement.TryParse(string.Join(",", Enumerable.Repeat("1", 33)), out _).ShouldBeFalse();
    }

    [Theory]
    [InlineData("*", "0.0.0 1.2.3", "1.0.0-a")]
    [InlineData("^1", "1.0.0 1.9.9 1.0.0+b", "0.9.9 2.0.0 1.0.0-a 2.0.0-a")]
    [InlineData("^0", "0.0.0 0.9.9", "1.0.0")]
    [InlineData("^0.1", "0.1.0 0.1.9", "0.0.9 0.2.0")]
    [InlineData("^1.2", "1.2.0 1.3.0", "1.1.9 2.0.0")]
    [InlineData("^1.2.3", "1.2.3 1.2.4 1.3.0", "1.2.2 2.0.0 1.2.4-a")]
    [InlineData("^0.2.3", "0.2.3 0.2.4", "0.2.2 0.3.0 1.0.0")]
    [InlineData("^0.0.3", "0.0.3", "0.0.2 0.0.4 0.1.3")]
    [InlineData("^1.2.3-b", "1.2.3-b 1.2.3-c 1.2.3 1.2.4 1.3.0", "1.2.3-a 1.2.4-b 1.3.0-b")]
    [InlineData("~1", "1.0.0 1.9.0", "2.0.0 0.9.0")]
    [InlineData("~1.2", "1.2.0 1.2.9", "1.3.0 1.1.0")]
    [InlineData("~1.2.3", "1.2.3 1.2.9", "1.2.2 1.3.0")]
    [InlineData("=1", "1.0.0 1.9.9", "2.0.0 1.0.0-a")]
    [InlineData("=1.2.3", "1.2.3 1.2.3+b", "1.2.4 1.2.3-a")]
    [InlineData("=1.2.3-a", "1.2.3-a", "1.2.3 1.2.3-b")]
    [InlineData("1.*", "1.0.0 1.9.9", "2.0.0 1.0.0-a")]
    [InlineData("1.2.*", "1.2.0", "1.3.0")]
    [InlineData(">1", "2.0.0", "1.5.0 1.0.0 2.0.0-a")]
    [InlineData(">1.2", "1.3.0 2.0.0", "1.2.5")]
    [InlineData(">1.2.3-a", "1.2.3-b 1.2.3 1.2.4", "1.2.3-a 1.2.2 1.2.4-a")]
    [InlineData(">=1.2", "1.2.0 1.3.0 2.0.0", "1.1.9")]
    [InlineData("<1", "0.9.9", "1.0.0 1.0.0-a")]
    [InlineData("<=1", "0.9.9 1.0.0 1.9.9", "2.0.0")]
    [InlineData("<2.0.0-b", "1.9.9 2.0.0-a", "2.0.0-b 2.0.0 1.9.9-a")]
    [InlineData(">=1.2.3-a, <2", "1.2.3-a 1.9.9", "2.0.0 1.3.0-a 2.0.0-a")]
    public void Matching_follows_Cargo(string requirement, string matching, string other)
    {
        var parsed = VersionRequirement.Parse(requirement);
        foreach (var text in matching.Split(' '))
            parsed.Matches(CrateVersion.Parse(text)).ShouldBeTrue($"{requirement} should match {text}");
        foreach (var text in other.Split(' '))
            parsed.Matches(CrateVersion.Parse(text)).ShouldBeFalse($"{requirement} should not match {text}");
    }

    [Fact]
    public void What_was_printed_reads_back_as_the_same_requirement()
    {
        var op = Gen.Elements("", "=", ">", ">=", "<", "<= ", "~", "^ ");
        var numbers = Gen.Elements("0", "1", "1.2", "0.2.3", "1.x", "1.2.*", "1.*.*", "1.2.3-a.1", "1.2.3+b", "0.0.0-0+0");
        var part = from o in op from n in numbers select o + n;
        var text = from parts in part.NonEmptyListOf() select string.Join(" , ", parts.Take(VersionRequirement.MaxComparators));
        Prop.ForAll(text.ToArbitrary(), CrateVersionTests.SomeVersions(5), (written, versions) =>
        {
            var once = VersionRequirement.Parse(written);
            var twice = VersionRequirement.Parse(once.Text);
            twice.Text.ShouldBe(once.Text);
            foreach (var version in versions)
                twice.Matches(version).ShouldBe(once.Matches(version), $"{written} and {once} on {version}");
        }).QuickCheckThrowOnFailure();
    }
}
