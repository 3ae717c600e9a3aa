using FsCheck;
using FsCheck.Fluent;

namespace Pipeline.Contracts.Tests;

public class CrateVersionTests
{
    [Theory]
    [InlineData("0.0.0-pre")]
    [InlineData("1.0.0-0a")]
    [InlineData("1.0.0+01")]
    [InlineData("1.0.0--")]
    [InlineData("1.0.0")]
    [InlineData("1.2.3-beta.1+build.007")]
    [InlineData("1.0.0-0.a.0")]
    [InlineData("18446744073709551615.0.0")]
    [InlineData("1.0.0-99999999999999999999999999")]
    public void A_version_keeps_its_text(string text)
    {
        CrateVersion.TryParsePublished(text, out var version, out var reject).ShouldBeTrue();
        version!.Text.ShouldBe(text);
        reject.ShouldBeNull();
    }

    [Theory]
    [InlineData("")]
    [InlineData("1.0")]
    [InlineData("1.0.")]
    [InlineData("01.0.0")]
    [InlineData("00.0.0")]
    [InlineData("v1.0.0")]
    [InlineData(" 1.0.0")]
    [InlineData("1.0.0 ")]
    [InlineData("1.0.0-")]
    [InlineData("1.0.0+")]
    [InlineData("1.0.0-+b")]
    [InlineData("1.0.0-01")]
    [InlineData("1.0.0-a..b")]
    [InlineData("1.0.0-a.")]
    [InlineData("1.0.0-.a")]
    [InlineData("1.0.0-beta_1")]
    [InlineData("1.0.0+a+b")]
    [InlineData("1.0.0.0")]
    [InlineData("1.0.٠")]
    [InlineData("18446744073709551616.0.0")]
    public void Text_that_is_no_version_is_refused(string text)
    {
        CrateVersion.TryParsePublished(text, out _, out var reject).ShouldBeFalse();
        reject.ShouldBe(new Reject(RejectCodes.InvalidVersion, 400, $"\"{text}\" is an invalid semver version"));
    }

    [Fact]
    public void A_published_version_may_have_150_characters()
    {
        var longest = "1.0.0-" + new string('a', 144);
        CrateVersion.TryParsePublished(longest, out _, out _).ShouldBeTrue();
        CrateVersion.TryParsePublished(longest + "a", out _, out var reject).ShouldBeFalse();
        reject!.Text.ShouldBe("the version number is too long (max 150 characters)");
        CrateVersion.TryParse(longest + "a", out _).ShouldBeTrue();
    }

    [Theory]
    [InlineData("1.2.3", "", "", "1.2.3")]
    [InlineData("1.2.3-a.1", "a.1", "", "1.2.3-a.1")]
    [InlineData("1.2.3+b-c", "", "b-c", "1.2.3")]
    [InlineData("1.2.3-a+b", "a", "b", "1.2.3-a")]
    public void The_parts_of_a_version_can_be_told(string text, string prerelease, string build, string withoutBuild)
    {
        var version = CrateVersion.Parse(text);
        (version.Major, version.Minor, version.Patch).ShouldBe((1UL, 2UL, 3UL));
        version.Prerelease.ToString().ShouldBe(prerelease);
        version.IsPrerelease.ShouldBe(prerelease.Length > 0);
        version.Build.ToString().ShouldBe(build);
        version.WithoutBuild.ShouldBe(withoutBuild);
    }

    [Theory]
    [InlineData("0.0.0-0 0.0.0 0.0.1 0.1.0 0.9.9 0.10.0 1.0.0 255.0.0 256.0.0 65536.0.0 18446744073709551615.0.0")]
    [InlineData("1.0.0-0 1.0.0-2 1.0.0-10 1.0.0-- 1.0.0-A 1.0.0-a 1.0.0-a.0 1.0.0-a.a 1.0.0-a.a.0 1.0.0-a- 1.0.0-aa 1.0.0")]
    [InlineData("1.0.0-alpha 1.0.0-alpha.1 1.0.0-alpha.beta 1.0.0-beta 1.0.0-beta.2 1.0.0-beta.11 1.0.0-rc.1 1.0.0")]
    [InlineData("1.0.0-99999999999999999999 1.0.0-100000000000000000000 1.0.0-a")]
    public void Precedence_is_semver_s_and_the_sort_key_agrees(string ascending)
    {
        var versions = ascending.Split(' ').Select(text => CrateVersion.Parse(text)).ToList();
        for (var i = 0; i < versions.Count; i++)
        {
            for (var j = 0; j < versions.Count; j++)
            {
                Math.Sign(versions[i].ComparePrecedence(versions[j])).ShouldBe(i.CompareTo(j), $"{versions[i]} and {versions[j]}");
                Math.Sign(CompareKeys(versions[i], versions[j])).ShouldBe(i.CompareTo(j), $"keys of {versions[i]} and {versions[j]}");
            }
        }
    }

    [Fact]
    public void Build_metadata_orders_versions_of_equal_precedence()
    {
        var versions = "1.0.0 1.0.0+0 1.0.0+00 1.0.0+1 1.0.0+01 1.0.0+001 1.0.0+2 1.0.0+10 1.0.0+10.0 1.0.0+a".Split(' ')
            .Select(text => CrateVersion.Parse(text)).ToList();
        for (var i = 1; i < versions.Count; i++)
        {
            (versions[i - 1] < versions[i]).ShouldBeTrue($"{versions[i - 1]} < {versions[i]}");
            versions[i - 1].ComparePrecedence(versions[i]).ShouldBe(0);
            versions[i - 1].ToSortKey().ShouldBe(versions[i].ToSortKey());
        }
    }

    [Fact]
    public void A_number_longer_than_a_byte_can_count_keeps_its_place()
    {
        // Upstream registries may hold versions that no publish here could have.
        int[] lengths = [1, 253, 254, 255, 256, 300, 70_000];
        var versions = lengths.Select(length => CrateVersion.Parse("1.0.0-" + new string('9', length))).ToList();
        for (var i = 1; i < versions.Count; i++)
            CompareKeys(versions[i - 1], versions[i]).ShouldBeLessThan(0);
        CompareKeys(versions[^1], CrateVersion.Parse("1.0.0-a")).ShouldBeLessThan(0);
    }

    [Fact]
    public void The_order_is_total_and_agrees_with_equality_and_the_sort_key() => Prop.ForAll(
        SomeVersions(3),
        v =>
        {
            var (a, b, c) = (v[0], v[1], v[2]);
            Math.Sign(a.CompareTo(b)).ShouldBe(-Math.Sign(b.CompareTo(a)));
            (a.CompareTo(b) == 0).ShouldBe(a == b);
            if (a <= b && b <= c)
                (a <= c).ShouldBeTrue($"{a} <= {b} <= {c}");
            Math.Sign(CompareKeys(a, b)).ShouldBe(Math.Sign(a.ComparePrecedence(b)), $"keys of {a} and {b}");
            (a.ComparePrecedence(b) == 0).ShouldBe(a.WithoutBuild == b.WithoutBuild);
        }).QuickCheckThrowOnFailure();

    internal static Arbitrary<CrateVersion[]> SomeVersions(int count)
    {
        // Few distinct parts, so that equal prefixes are common.
        var number = Gen.Elements("0", "1", "2", "10", "255", "256", "18446744073709551615");
        var prerelease = Gen.Elements("", "", "-0", "-1", "-a", "-a.0", "-a.b", "-a-", "-A", "-10", "-9", "-0a", "-a.0.0");
        var build = Gen.Elements("", "", "+0", "+00", "+a", "+1.0", "+01");
        var version =
            from major in number
            from minor in number
            from patch in number
            from pre in prerelease
            from meta in build
            select CrateVersion.Parse($"{major}.{minor}.{patch}{pre}{meta}");
        return version.ArrayOf(count).ToArbitrary();
    }

    private static int CompareKeys(CrateVersion left, CrateVersion right) => left.ToSortKey().AsSpan().SequenceCompareTo(right.ToSortKey());
}
