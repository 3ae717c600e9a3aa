using Pipeline.Registry.Identity;

namespace Pipeline.Registry.Tests.Identity;

public class TokenBucketTests
{
    private const long Minute = 60_000_000;
    private const long Start = 1_000_000_000;

    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    public void Exactly_the_burst_succeeds_at_once(int burst)
    {
        var bucket = default(TokenBucket);
        for (var i = 0; i < burst; i++)
        {
            bucket = bucket.Take(Minute, burst, Start + i);
            bucket.IsAllowed.ShouldBeTrue();
        }

        bucket.Take(Minute, burst, Start + burst).IsAllowed.ShouldBeFalse();
    }

    [Fact]
    public void A_refused_attempt_may_come_again_after_the_interval()
    {
        var bucket = new TokenBucket(0, Start);
        bucket.Take(Minute, 5, Start + Minute - 1).IsAllowed.ShouldBeFalse();
        bucket.Take(Minute, 5, Start + Minute).ShouldBe(new TokenBucket(1, Start + Minute));
    }

    [Fact]
    public void A_long_rest_fills_the_bucket_and_not_more() =>
        new TokenBucket(2, Start).Take(Minute, 5, Start + (100 * Minute) + 7).ShouldBe(new TokenBucket(5, Start + (100 * Minute)));

    [Fact]
    public void Part_of_an_interval_is_kept_for_the_next_attempt() =>
        new TokenBucket(3, Start).Take(Minute, 5, Start + Minute + 30).ShouldBe(new TokenBucket(3, Start + Minute));

    [Fact]
    public void A_clock_that_goes_back_takes_nothing_away_twice() =>
        new TokenBucket(3, Start).Take(Minute, 5, Start - (10 * Minute)).ShouldBe(new TokenBucket(2, Start));
}
