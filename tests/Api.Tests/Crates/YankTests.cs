using Pipeline.Contracts.Index;
using Pipeline.Contracts.Notices;
using Pipeline.Contracts.Search;
using Pipeline.Contracts.Upkeep;
using Pipeline.Registry.Options;

namespace Pipeline.Api.Tests.Crates;

public class YankTests
{
    [Fact]
    public async Task Yank_and_unyank_answer_as_cargo_reads_it_and_change_flag_revision_feed_and_audit_together()
    {
        await using var fixture = await ApiFixture.CreateAsync();
        await fixture.PublishAsync("ann", "Foo-Bar", "1.0.0");
        var token = await fixture.TokenAsync("ann");

        (await fixture.SendAsync("DELETE", "/api/v1/crates/foo_bar/1.0.0/yank", token)).ShouldBeOk();
        (await fixture.Temp.LongAsync("SELECT count(*) FROM versions WHERE yanked")).ShouldBe(1);
        (await fixture.Temp.LongAsync("SELECT revision FROM crates")).ShouldBe(2);
        (await fixture.Temp.TextAsync("SELECT kind || ' ' || name || ' ' || num || ' ' || revision FROM changes ORDER BY id DESC")).ShouldBe("yank Foo-Bar 1.0.0 2");
        (await fixture.Temp.LongAsync("SELECT MIN(wanted) FROM projections")).ShouldBe(2);
        (await fixture.Temp.LongAsync("SELECT COUNT(*) FROM audit WHERE action = 'yank' AND user_id IS NOT NULL AND token_id IS NOT NULL AND version_id IS NOT NULL")).ShouldBe(1);
        fixture.Bells.Take().ShouldBe([new RenderSparse(1), new CommitIndex(), new RecordCrate(1), new UpdateSearch(), new SendNotices()]);

        (await fixture.SendAsync("PUT", "/api/v1/crates/foo_bar/1.0.0/unyank", token, "")).ShouldBeOk();
        (await fixture.Temp.LongAsync("SELECT count(*) FROM versions WHERE yanked")).ShouldBe(0);
        (await fixture.Temp.LongAsync("SELECT revision FROM crates")).ShouldBe(3);
    }

    [Fact]
    public async Task Repeating_a_yank_is_a_success_that_writes_nothing()
    {
        await using var fixture = await ApiFixture.CreateAsync();
        await fixture.PublishAsync("ann", "foo", "1.0.0");
        var token = await fixture.TokenAsync("ann");
        (await fixture.SendAsync("DELETE", "/api/v1/crates/foo/1.0.0/yank", token)).ShouldBeOk();
        fixture.Bells.Take();
        var (changes, audit) = (await fixture.CountAsync("changes"), await fixture.CountAsync("audit"));
        (await fixture.SendAsync("DELETE", "/api/v1/crates/foo/1.0.0/yank", token)).ShouldBeOk();
        (await fixture.CountAsync("changes"), await fixture.CountAsync("audit")).ShouldBe((changes, audit));
        (await fixture.Temp.LongAsync("SELECT revision FROM crates")).ShouldBe(2);
        fixture.Bells.Take().ShouldBeEmpty();
    }

    [Theory]
    [InlineData("nope", "1.0.0", 404, "crate `nope` does not exist")]
    [InlineData("Foo", "9.9.9", 404, "crate `foo` does not have a version `9.9.9`")]
    [InlineData("foo", "1.0.0+other", 404, "crate `foo` does not have a version `1.0.0+other`")]
    [InlineData("foo", "one", 400, "\"one\" is an invalid semver version")]
    public async Task What_is_not_there_cannot_be_yanked(string name, string version, int status, string text)
    {
        await using var fixture = await ApiFixture.CreateAsync();
        await fixture.PublishAsync("ann", "foo", "1.0.0+meta");
        (await fixture.SendAsync("DELETE", $"/api/v1/crates/{name}/{version}/yank", await fixture.TokenAsync("ann"))).ShouldFail(status, text);
    }

    [Fact]
    public async Task Build_metadata_is_part_of_the_path()
    {
        await using var fixture = await ApiFixture.CreateAsync();
        await fixture.PublishAsync("ann", "foo", "1.0.0+meta");
        var token = await fixture.TokenAsync("ann");
        (await fixture.SendAsync("DELETE", "/api/v1/crates/foo/1.0.0+meta/yank", token)).ShouldBeOk();
        (await fixture.SendAsync("PUT", "/api/v1/crates/foo/1.0.0%2Bmeta/unyank", token, "")).ShouldBeOk();
    }

    [Fact]
    public async Task Who_does_not_own_the_crate_cannot_yank_but_an_administrator_can()
    {
        await using var fixture = await ApiFixture.CreateAsync();
        await fixture.PublishAsync("ann", "foo", "1.0.0");
        (await fixture.SendAsync("DELETE", "/api/v1/crates/foo/1.0.0/yank")).ShouldFail(403, "this action requires authentication");
        (await fixture.SendAsync("DELETE", "/api/v1/crates/foo/1.0.0/yank", await fixture.TokenAsync("bob"))).ShouldFail(403, "must already be an owner to yank or unyank");
        await fixture.UserAsync("root", isAdmin: true);
        (await fixture.SendAsync("DELETE", "/api/v1/crates/foo/1.0.0/yank", await fixture.TokenAsync("root"))).ShouldBeOk();
    }

    [Theory]
    [InlineData("yank", "foo*", true)]
    [InlineData("yank", "bar", false)]
    [InlineData("publish-update", null, false)]
    [InlineData("yank", "Foo", false)]
    public async Task A_scoped_token_must_fit_the_stored_name(string scope, string? pattern, bool fits)
    {
        await using var fixture = await ApiFixture.CreateAsync();
        await fixture.PublishAsync("ann", "foo", "1.0.0");
        var token = await fixture.TokenAsync("ann", [scope], pattern is null ? null : [pattern]);
        var answer = await fixture.SendAsync("DELETE", "/api/v1/crates/FOO/1.0.0/yank", token);
        if (fits) answer.ShouldBeOk();
        else answer.ShouldFail(403, "this token does not have the required permissions to perform this action");
    }

    [Fact]
    public async Task Too_many_attempts_are_refused_with_the_time_to_come_back_and_refused_ones_count_too()
    {
        await using var fixture = await ApiFixture.CreateAsync(limits: new RateLimitOptions { Yank = new RateLimit(60, 2) });
        await fixture.PublishAsync("ann", "foo", "1.0.0");
        var (ann, bob) = (await fixture.TokenAsync("ann"), await fixture.TokenAsync("bob"));
        (await fixture.SendAsync("DELETE", "/api/v1/crates/foo/1.0.0/yank", bob)).Status.ShouldBe(403);
        (await fixture.SendAsync("DELETE", "/api/v1/crates/foo/1.0.0/yank", bob)).Status.ShouldBe(403);
        var limited = await fixture.SendAsync("DELETE", "/api/v1/crates/foo/1.0.0/yank", bob);
        limited.Status.ShouldBe(429);
        limited.Error.ShouldBe($"You have yanked or unyanked too many versions in a short period of time. Please try again after {limited.Headers["Retry-After"]}.");
        (await fixture.SendAsync("DELETE", "/api/v1/crates/foo/1.0.0/yank", ann)).ShouldBeOk();
    }

    [Fact]
    public async Task The_default_version_follows_yanks_in_the_order_of_the_rule_book()
    {
        await using var fixture = await ApiFixture.CreateAsync();
        string[] worstToBest = ["1.0.0-beta.1", "1.0.0-beta.2", "2.0.0-beta.1", "1.0.0", "1.0.2", "1.1.0"];
        foreach (var version in worstToBest) await fixture.PublishAsync("ann", "foo", version);
        var token = await fixture.TokenAsync("ann");
        foreach (var version in worstToBest.Reverse())
        {
            (await Default(fixture)).ShouldBe((version, false));
            (await fixture.SendAsync("DELETE", $"/api/v1/crates/foo/{version}/yank", token)).ShouldBeOk();
        }

        (await Default(fixture)).ShouldBe(("1.1.0", true));
        (await fixture.SendAsync("PUT", "/api/v1/crates/foo/1.0.0-beta.2/unyank", token, "")).ShouldBeOk();
        (await Default(fixture)).ShouldBe(("1.0.0-beta.2", false));
    }

    [Theory]
    [InlineData("""{"version":{"yanked":true,"yank_message":"broken"}}""", true, "broken")]
    [InlineData("""{"version":{"yanked":true}}""", true, null)]
    [InlineData("""{"version":{}}""", false, null)]
    public async Task A_change_of_a_version_answers_with_the_version(string body, bool yanked, string? message)
    {
        await using var fixture = await ApiFixture.CreateAsync();
        await fixture.PublishAsync("ann", "foo", "1.0.0");
        var answer = await fixture.SendAsync("PATCH", "/api/v1/crates/foo/1.0.0", await fixture.TokenAsync("ann"), body);
        answer.Status.ShouldBe(200, answer.Text);
        var version = answer.Json.GetProperty("version");
        version.GetProperty("yanked").GetBoolean().ShouldBe(yanked);
        version.GetProperty("yank_message").GetString().ShouldBe(message);
    }

    [Theory]
    [InlineData("""{"version":{"yanked":false,"yank_message":"x"}}""", 400, "Cannot set yank message when unyanking")]
    [InlineData("""{"version":{"yank_message":"x"}}""", 400, "Cannot update yank message for a version that is not yanked")]
    [InlineData("""{"version":{"yanked":"yes"}}""", 422, "the request body must have a `version` with `yanked` and `yank_message`, both optional")]
    [InlineData("""{}""", 422, "the request body must have a `version` with `yanked` and `yank_message`, both optional")]
    public async Task A_change_that_makes_no_sense_is_refused_before_anybody_is_asked_who_they_are(string body, int status, string text)
    {
        await using var fixture = await ApiFixture.CreateAsync();
        await fixture.PublishAsync("ann", "foo", "1.0.0");
        (await fixture.SendAsync("PATCH", "/api/v1/crates/foo/1.0.0", null, body)).ShouldFail(status, text);
    }

    [Fact]
    public async Task A_message_alone_is_a_change_that_is_audited_and_a_plain_yank_clears_it()
    {
        await using var fixture = await ApiFixture.CreateAsync();
        await fixture.PublishAsync("ann", "foo", "1.0.0");
        var token = await fixture.TokenAsync("ann");
        await fixture.SendAsync("PATCH", "/api/v1/crates/foo/1.0.0", token, """{"version":{"yanked":true,"yank_message":"first"}}""");
        await fixture.SendAsync("PATCH", "/api/v1/crates/foo/1.0.0", token, """{"version":{"yank_message":"second"}}""");
        (await fixture.Temp.TextAsync("SELECT yank_message FROM versions")).ShouldBe("second");
        (await fixture.Temp.LongAsync("SELECT COUNT(*) FROM audit WHERE action = 'yank'")).ShouldBe(2);
        await fixture.SendAsync("PATCH", "/api/v1/crates/foo/1.0.0", token, """{"version":{"yanked":true}}""");
        (await fixture.Temp.TextAsync("SELECT yank_message FROM versions")).ShouldBe("second");
        (await fixture.SendAsync("DELETE", "/api/v1/crates/foo/1.0.0/yank", token)).ShouldBeOk();
        (await fixture.Temp.TextAsync("SELECT yank_message FROM versions")).ShouldBeNull();
    }

    private static async Task<(string? Version, bool Yanked)> Default(ApiFixture fixture)
    {
        var crate = (await fixture.GetAsync("/api/v1/crates/foo?include=")).Json.GetProperty("crate");
        return (crate.GetProperty("default_version").GetString(), crate.GetProperty("yanked").GetBoolean());
    }
}
