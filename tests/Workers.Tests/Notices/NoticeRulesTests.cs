using Pipeline.Contracts;
using Pipeline.Registry.Changes;
using Pipeline.Registry.Identity;
using Pipeline.Workers.Notices;

namespace Pipeline.Workers.Tests.Notices;

public sealed class NoticeRulesTests
{
    // The published example of the Standard Webhooks specification.
    [Fact]
    public void A_signature_is_what_verifying_libraries_expect()
    {
        var key = WebhookRules.Key(new Secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"))!;
        NoticeRules.Sign(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, """{"test": 2432232314}"""u8).ShouldBe("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    [Fact]
    public void A_notice_has_one_id_and_shares_it_with_no_other()
    {
        NoticeRules.Id("e", 1, 2).ShouldBe(NoticeRules.Id("e", 1, 2));
        new[] { NoticeRules.Id("e", 1, 2), NoticeRules.Id("e", 12, 2), NoticeRules.Id("e", 1, 22), NoticeRules.Id("f", 1, 2) }.Distinct().Count().ShouldBe(4);
    }

    [Theory]
    [InlineData(1, 0.5, 1)]
    [InlineData(2, 0.5, 2)]
    [InlineData(5, 0.5, 16)]
    [InlineData(5, 0, 12)]
    [InlineData(5, 1, 20)]
    [InlineData(11, 0.5, 600)]
    [InlineData(100000, 0.5, 600)]
    public void The_wait_doubles_up_to_ten_minutes_give_or_take_a_quarter(long failing, double random, double seconds) =>
        NoticeRules.Wait(failing, 1, random).TotalSeconds.ShouldBe(seconds);

    [Theory]
    [InlineData("", "", "publish", "foo", true)]
    [InlineData("yank unyank", "", "publish", "foo", false)]
    [InlineData("yank unyank", "", "unyank", "foo", true)]
    [InlineData("", "foo bar-*", "yank", "foo", true)]
    [InlineData("", "foo bar-*", "yank", "food", false)]
    [InlineData("", "foo bar-*", "yank", "bar-x", true)]
    [InlineData("yank", "foo", "publish", "foo", false)]
    [InlineData("", "foo", "sync", null, false)]
    [InlineData("", "", "sync", null, false)]
    [InlineData("", "", "upstream-trouble", null, true)]
    [InlineData("", "foo", "upstream-trouble", null, false)]
    [InlineData("upstream-recovered", "", "upstream-recovered", null, true)]
    [InlineData("upstream-recovered", "", "upstream-trouble", null, false)]
    [InlineData("publish", "", "upstream-trouble", null, false)]
    public void A_webhook_wants_the_kinds_and_crates_that_it_names(string kinds, string crates, string kind, string? crate, bool wants)
    {
        string[] Words(string text) => text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var hook = new Webhook(1, "http://x", new Secret("x"), Words(kinds), [.. Words(crates).Select(CratePattern.FromStored)], 0, 0, 0);
        hook.Wants(new Change(1, 0, kind, null, crate, null, null, null)).ShouldBe(wants);
    }
}
