using System.Globalization;
using System.Text.Json;

namespace Pipeline.Api.Tests.Admin;

public class AdminTokensTests
{
    private const string Tokens = "/api/v1/admin/tokens";

    [Fact]
    public async Task A_token_is_shown_once_works_and_stops_when_revoked()
    {
        var (fixture, token) = await AdminFixture.CreateAsync();
        await using var api = fixture;
        await api.UserAsync("ann");
        var made = await api.SendAsync("POST", Tokens, token, """{"user":"ANN","name":"ci"}""");
        made.Status.ShouldBe(201);
        made.Headers["Cache-Control"].ShouldBe("no-store");
        var plaintext = made.Json.GetProperty("plaintext").GetString()!;
        (await api.GetAsync("/api/v1/me", plaintext)).Status.ShouldBe(200);

        var id = made.Json.GetProperty("token").GetProperty("id").GetInt64();
        (await api.GetAsync(Tokens, token)).Text.ShouldNotContain(plaintext);
        var revoked = await api.SendAsync("DELETE", string.Create(CultureInfo.InvariantCulture, $"{Tokens}/{id}"), token);
        revoked.Json.GetProperty("token").GetProperty("revoked_at").ValueKind.ShouldBe(JsonValueKind.String);
        (await api.GetAsync("/api/v1/me", plaintext)).ShouldFail(403, "authentication failed");
    }

    [Fact]
    public async Task Scopes_and_expiry_are_kept_as_given()
    {
        var (fixture, token) = await AdminFixture.CreateAsync();
        await using var api = fixture;
        await api.UserAsync("ann");
        await api.UserAsync("bob");
        await api.SendAsync("POST", Tokens, token, """{"user":"bob"}""");
        var made = await api.SendAsync(
            "POST", Tokens, token, """{"user":"ann","endpoint_scopes":["yank","publish-new"],"crate_scopes":["a*"],"expires_at":"2020-01-01T00:00:00Z"}""");
        made.Status.ShouldBe(201);
        (await api.GetAsync("/api/v1/me", made.Json.GetProperty("plaintext").GetString())).ShouldFail(403, "authentication failed");

        var listed = (await api.GetAsync($"{Tokens}?user=ann", token)).Json.GetProperty("tokens");
        listed.GetArrayLength().ShouldBe(1);
        listed[0].GetProperty("endpoint_scopes").EnumerateArray().Select(scope => scope.GetString()).ShouldBe(["yank", "publish-new"]);
        listed[0].GetProperty("crate_scopes").EnumerateArray().Select(scope => scope.GetString()).ShouldBe(["a*"]);
        listed[0].GetProperty("expires_at").GetString().ShouldBe("2020-01-01T00:00:00Z");
        listed[0].GetProperty("user").GetString().ShouldBe("ann");
    }

    [Fact]
    public async Task Tokens_are_listed_newest_first_page_by_page()
    {
        var (fixture, token) = await AdminFixture.CreateAsync();
        await using var api = fixture;
        await api.TokenAsync("ann");
        await api.TokenAsync("ann");
        var first = (await api.GetAsync($"{Tokens}?limit=2", token)).Json;
        first.GetProperty("tokens").EnumerateArray().Select(one => one.GetProperty("id").GetInt64()).ShouldBe([3, 2]);
        var second = (await api.GetAsync($"{Tokens}?limit=2&cursor={first.GetProperty("next_cursor").GetString()}", token)).Json;
        second.GetProperty("tokens").EnumerateArray().Select(one => one.GetProperty("id").GetInt64()).ShouldBe([1]);
        second.GetProperty("next_cursor").GetString().ShouldBeNull();
    }

    [Theory]
    [InlineData("POST", "", """{"user":"nobody"}""", 404)]
    [InlineData("POST", "", """{}""", 404)]
    [InlineData("POST", "", """{"user":"root","endpoint_scopes":["everything"]}""", 400)]
    [InlineData("POST", "", """{"user":"root","crate_scopes":["te*st"]}""", 400)]
    [InlineData("POST", "", """{"user":"root","crate_scopes":"a"}""", 422)]
    [InlineData("DELETE", "/999", null, 404)]
    [InlineData("DELETE", "/first", null, 404)]
    [InlineData("GET", "?user=nobody", null, 404)]
    public async Task What_cannot_be_is_refused_with_a_sentence(string method, string path, string? body, int status)
    {
        var (fixture, token) = await AdminFixture.CreateAsync();
        await using var api = fixture;
        var answer = await api.SendAsync(method, Tokens + path, token, body);
        answer.Status.ShouldBe(status, answer.Text);
        answer.Error.ShouldNotBeEmpty();
    }
}
