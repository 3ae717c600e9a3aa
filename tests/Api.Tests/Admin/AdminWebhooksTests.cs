using Pipeline.Contracts.Notices;

namespace Pipeline.Api.Tests.Admin;

public class AdminWebhooksTests
{
    private const string Webhooks = "/api/v1/admin/webhooks";
    private const string Secret = "a very secret secret";

    [Fact]
    public async Task A_webhook_is_added_shown_and_removed_and_its_secret_is_in_no_answer()
    {
        var (fixture, token) = await AdminFixture.CreateAsync();
        await using var api = fixture;
        await api.PublishAsync("ann", "foo", "1.0.0");
        var made = await api.SendAsync("POST", Webhooks, token, $$"""{"url":"https://example.com/hook","secret":"{{Secret}}","kinds":["publish","yank"],"crates":["foo","bar-*"]}""");
        made.Status.ShouldBe(201, made.Text);
        api.Bells.Take().ShouldBe([new SendNotices()]);

        var (listed, shown) = (await api.GetAsync(Webhooks, token), await api.GetAsync($"{Webhooks}/1", token));
        var hook = listed.Json.GetProperty("webhooks").EnumerateArray().ShouldHaveSingleItem();
        hook.GetRawText().ShouldBe(shown.Json.GetProperty("webhook").GetRawText());
        hook.GetProperty("url").GetString().ShouldBe("https://example.com/hook");
        hook.GetProperty("kinds").EnumerateArray().Select(static kind => kind.GetString()).ShouldBe(["publish", "yank"]);
        hook.GetProperty("crates").EnumerateArray().Select(static crate => crate.GetString()).ShouldBe(["foo", "bar-*"]);
        // What happened before it was added is not its business.
        hook.GetProperty("behind").GetInt64().ShouldBe(0);

        var removed = await api.SendAsync("DELETE", $"{Webhooks}/1", token);
        removed.Json.GetProperty("webhook").GetProperty("id").GetInt64().ShouldBe(1);
        (await api.GetAsync($"{Webhooks}/1", token)).ShouldFail(404, "webhook 1 does not exist");
        (await api.SendAsync("DELETE", $"{Webhooks}/1", token)).ShouldFail(404, "webhook 1 does not exist");
        foreach (var answer in new[] { made, listed, shown, removed }) answer.Text.ShouldNotContain(Secret);
        (await api.Temp.TextsAsync("SELECT action || ' ' || detail FROM audit WHERE action LIKE '%webhook' ORDER BY id"))
            .ShouldBe("create-webhook 1: https://example.com/hook, remove-webhook 1: https://example.com/hook");
    }

    [Theory]
    [InlineData("start", 2)]
    [InlineData("now", 0)]
    [InlineData("cursor", 1)]
    public async Task It_is_told_from_where_the_operator_says(string since, long behind)
    {
        var (fixture, token) = await AdminFixture.CreateAsync();
        await using var api = fixture;
        await api.PublishAsync("ann", "foo", "1.0.0");
        await api.PublishAsync("ann", "foo", "1.1.0");
        if (since == "cursor") since = (await api.GetAsync("/api/v1/changes?limit=1")).Json.GetProperty("cursor").GetString()!;

        var made = await api.SendAsync("POST", Webhooks, token, $$"""{"url":"https://example.com/hook","secret":"{{Secret}}","since":"{{since}}"}""");

        made.Json.GetProperty("webhook").GetProperty("behind").GetInt64().ShouldBe(behind, made.Text);
    }

    [Theory]
    [InlineData("""{"url":"ftp://example.com","secret":"a very secret secret"}""", "`url` must be an http or https URL of 2000 characters at most")]
    [InlineData("""{"url":"/hook","secret":"a very secret secret"}""", "`url` must be an http or https URL of 2000 characters at most")]
    [InlineData("""{"secret":"a very secret secret"}""", "`url` must be an http or https URL of 2000 characters at most")]
    [InlineData("""{"url":"https://u:p@example.com/","secret":"a very secret secret"}""", "`url` must have neither credentials nor a fragment")]
    [InlineData("""{"url":"https://example.com/"}""", "`secret` must be whsec_ and base64, or plain text, of 16 to 256 bytes")]
    [InlineData("""{"url":"https://example.com/","secret":"short"}""", "`secret` must be whsec_ and base64, or plain text, of 16 to 256 bytes")]
    [InlineData("""{"url":"https://example.com/","secret":"whsec_not base64 at all!"}""", "`secret` must be whsec_ and base64, or plain text, of 16 to 256 bytes")]
    [InlineData("""{"url":"https://example.com/","secret":"a very secret secret","kinds":["pull"]}""", "`pull` is no kind of change; there are publish, yank, unyank, delete, owners, upstream-trouble, upstream-recovered")]
    [InlineData("""{"url":"https://example.com/","secret":"a very secret secret","crates":["a*b"]}""", "`a*b` is no crate pattern: a name, or the start of one and *")]
    [InlineData("""{"url":"https://example.com/","secret":"a very secret secret","since":"x"}""", "`since` is neither `now`, `start` nor a cursor of this registry's change feed")]
    [InlineData("""{"url":7}""", "the request body must have a `url`, a `secret` and, optional, `kinds`, `crates` and `since`")]
    public async Task What_cannot_be_is_refused_with_a_sentence(string body, string text)
    {
        var (fixture, token) = await AdminFixture.CreateAsync();
        await using var api = fixture;
        (await api.SendAsync("POST", Webhooks, token, body)).ShouldFail(422, text);
        (await api.CountAsync("webhooks")).ShouldBe(0);
    }

    [Fact]
    public async Task There_are_no_more_than_a_hundred()
    {
        var (fixture, token) = await AdminFixture.CreateAsync();
        await using var api = fixture;
        for (var i = 0; i < 100; i++) await api.Temp.ExecuteAsync("INSERT INTO webhooks (url, secret, kinds, crates, created_at, watermark) VALUES ('u', 's', '[]', '[]', 0, 0)");
        (await api.SendAsync("POST", Webhooks, token, $$"""{"url":"https://example.com/hook","secret":"{{Secret}}"}""")).ShouldFail(422, "there are 100 webhooks, as many as there may be");
    }

    [Fact]
    public async Task Nobody_but_administrators_sees_or_makes_them()
    {
        var (fixture, _) = await AdminFixture.CreateAsync();
        await using var api = fixture;
        foreach (var (method, path) in new[] { ("GET", ""), ("POST", ""), ("GET", "/1"), ("DELETE", "/1") })
            (await api.SendAsync(method, Webhooks + path, await api.TokenAsync("ann"))).Status.ShouldBe(403);
    }
}
