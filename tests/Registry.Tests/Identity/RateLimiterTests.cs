using Pipeline.Registry.Identity;
using Pipeline.Registry.Options;

namespace Pipeline.Registry.Tests.Identity;

public class RateLimiterTests
{
    private static readonly RateLimitOptions Options = new() { PublishNew = new RateLimit(600, 2), Yank = new RateLimit(60, 1) };

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(LimitedAction.PublishNew, "You have published too many new crates in a short period of time")]
    [InlineData(LimitedAction.PublishUpdate, "You have published too many updates to existing crates in a short period of time")]
    [InlineData(LimitedAction.Yank, "You have yanked or unyanked too many versions in a short period of time")]
    public async Task The_refusal_names_the_action_and_the_time_from_which_it_works_again(LimitedAction action, string message)
    {
        await using var fixture = await IdentityFixture.CreateAsync();
        var user = await fixture.UserAsync();
        var once = new RateLimit(600, 1);
        var limiter = new RateLimiter(fixture.Temp.Database, new RateLimitOptions { PublishNew = once, PublishUpdate = once, Yank = once });
        (await limiter.TakeAsync(user.Id, action, Cancel)).ShouldBeNull();
        var limited = (await limiter.TakeAsync(user.Id, action, Cancel)).ShouldNotBeNull();
        limited.Reject.Status.ShouldBe(429);
        limited.RetryAfter.ShouldBe("Fri, 02 Jan 2026 03:14:05 GMT");
        limited.Reject.Text.ShouldBe($"{message}. Please try again after {limited.RetryAfter}.");

        fixture.Temp.Clock.Advance(TimeSpan.FromMinutes(10));
        (await limiter.TakeAsync(user.Id, action, Cancel)).ShouldBeNull();
    }

    [Fact]
    public async Task Accounts_and_actions_are_counted_apart()
    {
        await using var fixture = await IdentityFixture.CreateAsync();
        var (ann, bob) = (await fixture.UserAsync(), await fixture.UserAsync("bob"));
        var limiter = new RateLimiter(fixture.Temp.Database, Options);
        (await limiter.TakeAsync(ann.Id, LimitedAction.Yank, Cancel)).ShouldBeNull();
        (await limiter.TakeAsync(ann.Id, LimitedAction.Yank, Cancel)).ShouldNotBeNull();
        (await limiter.TakeAsync(ann.Id, LimitedAction.PublishNew, Cancel)).ShouldBeNull();
        (await limiter.TakeAsync(bob.Id, LimitedAction.Yank, Cancel)).ShouldBeNull();
    }

    [Fact]
    public async Task A_granted_burst_holds_until_it_expires()
    {
        await using var fixture = await IdentityFixture.CreateAsync();
        var user = await fixture.UserAsync();
        var limiter = new RateLimiter(fixture.Temp.Database, Options);
        await limiter.OverrideAsync(user.Id, LimitedAction.PublishNew, 4, fixture.Temp.Clock.GetUtcNow().AddHours(1), Cancel);
        (await AllowedAsync(limiter, user.Id)).ShouldBe(4);
        fixture.Temp.Clock.Advance(TimeSpan.FromDays(1));
        (await AllowedAsync(limiter, user.Id)).ShouldBe(2);
        await limiter.OverrideAsync(user.Id, LimitedAction.PublishNew, 3, null, Cancel);
        fixture.Temp.Clock.Advance(TimeSpan.FromDays(1));
        (await AllowedAsync(limiter, user.Id)).ShouldBe(3);
        await limiter.OverrideAsync(user.Id, LimitedAction.PublishNew, null, null, Cancel);
        fixture.Temp.Clock.Advance(TimeSpan.FromDays(1));
        (await AllowedAsync(limiter, user.Id)).ShouldBe(2);
    }

    [Fact]
    public async Task Switched_off_it_counts_nothing()
    {
        await using var fixture = await IdentityFixture.CreateAsync();
        var user = await fixture.UserAsync();
        var limiter = new RateLimiter(fixture.Temp.Database, Options with { Enabled = false });
        for (var i = 0; i < 10; i++) (await limiter.TakeAsync(user.Id, LimitedAction.Yank, Cancel)).ShouldBeNull();
        (await fixture.Temp.LongAsync("SELECT COUNT(*) FROM rate_buckets")).ShouldBe(0);
    }

    private static async Task<int> AllowedAsync(RateLimiter limiter, long userId)
    {
        var allowed = 0;
        while (await limiter.TakeAsync(userId, LimitedAction.PublishNew, Cancel) is null) allowed++;
        return allowed;
    }
}
