using Pipeline.Contracts;
using Pipeline.Registry.Truth;

namespace Pipeline.Registry.Tests.Truth;

public class DefaultVersionTests
{
    [Fact]
    public void Ranks_sort_as_bytes_in_the_order_of_the_rule_book()
    {
        (string Num, bool Yanked)[] worstToBest =
        [
            ("1.1.1-beta.1", true), ("1.0.1", true), ("1.1.1", true), ("1.0.0-beta.1", false), ("1.0.0-beta.2", false), ("1.0.0-beta.3", false),
            ("2.0.0-beta.1", false), ("1.0.0", false), ("1.0.2", false), ("1.0.3", false), ("1.1.0", false),
        ];
        var ranks = Array.ConvertAll(worstToBest, static version => DefaultVersion.Rank(CrateVersion.Parse(version.Num), version.Yanked));
        for (var i = 1; i < ranks.Length; i++) ranks[i - 1].AsSpan().SequenceCompareTo(ranks[i]).ShouldBeLessThan(0, $"{worstToBest[i - 1]} is below {worstToBest[i]}");
    }

    [Theory]
    [InlineData("1.0.0", false, false, true)]
    [InlineData("1.0.0", true, true, false)]
    [InlineData("1.0.0-rc.1", false, false, false)]
    [InlineData("1.0.0-rc.1", true, true, false)]
    public void A_rank_tells_yank_and_stability(string num, bool yanked, bool isYanked, bool isStable)
    {
        var rank = DefaultVersion.Rank(CrateVersion.Parse(num), yanked);
        DefaultVersion.IsYanked(rank).ShouldBe(isYanked);
        DefaultVersion.IsStable(rank).ShouldBe(isStable);
    }

    [Fact]
    public void No_version_is_neither_yanked_nor_stable()
    {
        DefaultVersion.IsYanked(null).ShouldBeFalse();
        DefaultVersion.IsStable(null).ShouldBeFalse();
    }

    [Fact]
    public void Build_metadata_does_not_count() =>
        DefaultVersion.Rank(CrateVersion.Parse("1.0.0+a"), false).ShouldBe(DefaultVersion.Rank(CrateVersion.Parse("1.0.0+b"), false));
}
