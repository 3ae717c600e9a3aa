namespace Pipeline.Api.Tests.Accounts;

public class MeTests
{
    [Fact]
    public async Task A_token_shows_its_own_account_and_crates()
    {
        await using var fixture = await ApiFixture.CreateAsync();
        await fixture.PublishAsync("ann", "foo", "1.0.0");
        var answer = await fixture.GetAsync("/api/v1/me", await fixture.TokenAsync("ann"));
        answer.Headers["Cache-Control"].ShouldBe("no-store");
        answer.Json.GetProperty("user").GetProperty("email").GetString().ShouldBe("ann@example.com");
        answer.Json.GetProperty("owned_crates")[0].GetProperty("name").GetString().ShouldBe("foo");
        (await fixture.GetAsync("/api/v1/me")).ShouldFail(403, "this action requires authentication");
    }

    [Fact]
    public async Task The_public_part_of_an_account_has_no_address()
    {
        await using var fixture = await ApiFixture.CreateAsync();
        await fixture.UserAsync("Ann");
        var answer = await fixture.GetAsync("/api/v1/users/ann");
        answer.Text.ShouldBe("""{"user":{"id":1,"login":"Ann","name":"Ann the user","avatar":null,"url":"https://crates.example/api/v1/users/Ann"}}""");
    }

    [Fact]
    public async Task A_token_makes_lists_and_revokes_tokens_of_its_account()
    {
        await using var fixture = await ApiFixture.CreateAsync();
        var token = await fixture.TokenAsync("ann");
        var made = await fixture.SendAsync(
            "PUT",
            "/api/v1/me/tokens",
            token,
            """{"api_token":{"name":"ci","crate_scopes":["foo*"],"endpoint_scopes":["yank"],"expired_at":"2026-02-03T04:05:06+00:00"}}""");
        made.Status.ShouldBe(200, made.Text);
        var plaintext = made.Json.GetProperty("api_token").GetProperty("token").GetString()!;
        plaintext.ShouldMatch("^cio[A-Za-z0-9]{32}$");
        var listed = (await fixture.GetAsync("/api/v1/me/tokens", token)).Text;
        listed.ShouldBe(
            """
            {"api_tokens":[{"id":2,"name":"ci","created_at":"2026-01-02T03:04:05.000000Z","last_used_at":null,"crate_scopes":["foo*"],"endpoint_scopes":["yank"],
            "expired_at":"2026-02-03T04:05:06.000000Z"},{"id":1,"name":"test","created_at":"2026-01-02T03:04:05.000000Z","last_used_at":null,"crate_scopes":null,
            "endpoint_scopes":null,"expired_at":null}]}
            """.ReplaceLineEndings(""));
        (await fixture.GetAsync("/api/v1/me/tokens/2", token)).Json.GetProperty("api_token").TryGetProperty("token", out _).ShouldBeFalse();
        (await fixture.GetAsync("/api/v1/me", plaintext)).ShouldFail(403, "this token does not have the required permissions to perform this action");
        (await fixture.SendAsync("DELETE", "/api/v1/me/tokens/2", token)).Text.ShouldBe("{}");
        (await fixture.GetAsync("/api/v1/me", plaintext)).ShouldFail(403, "authentication failed");
    }

    [Theory]
    [InlineData("GET", "/api/v1/me")]
    [InlineData("GET", "/api/v1/me/tokens")]
    [InlineData("GET", "/api/v1/me/tokens/1")]
    [InlineData("PUT", "/api/v1/me/tokens")]
    [InlineData("DELETE", "/api/v1/me/tokens/1")]
    [InlineData("DELETE", "/api/v1/tokens/current")]
    [InlineData("DELETE", "/api/v1/crates/foo")]
    [InlineData("GET", "/api/v1/admin/users")]
    public async Task An_endpoint_without_a_scope_refuses_a_token_with_scopes(string method, string path)
    {
        await using var fixture = await ApiFixture.CreateAsync();
        await fixture.PublishAsync("ann", "foo", "1.0.0");
        foreach (var token in new[] { await fixture.TokenAsync("ann", ["yank"]), await fixture.TokenAsync("ann", [], ["bar"]), await fixture.TokenAsync("ann", ["publish-new", "change-owners"], ["*"]) })
        {
            var answer = await fixture.SendAsync(method, path, token, method == "PUT" ? """{"api_token":{"name":"more"}}""" : null);
            answer.ShouldFail(403, "this token does not have the required permissions to perform this action");
        }
    }

    [Fact]
    public async Task Tokens_of_others_are_out_of_reach()
    {
        await using var fixture = await ApiFixture.CreateAsync();
        var (ann, bob) = (await fixture.TokenAsync("ann"), await fixture.TokenAsync("bob"));
        (await fixture.GetAsync("/api/v1/me/tokens/1", bob)).ShouldFail(404, "Not Found");
        (await fixture.SendAsync("DELETE", "/api/v1/me/tokens/1", bob)).Text.ShouldBe("{}");
        (await fixture.GetAsync("/api/v1/me", ann)).Status.ShouldBe(200);
    }

    [Fact]
    public async Task A_token_revokes_itself()
    {
        await using var fixture = await ApiFixture.CreateAsync();
        var token = await fixture.TokenAsync("ann");
        (await fixture.SendAsync("DELETE", "/api/v1/tokens/current", token)).Status.ShouldBe(204);
        (await fixture.SendAsync("DELETE", "/api/v1/tokens/current", token)).ShouldFail(403, "authentication failed");
    }

    [Theory]
    [InlineData("GET", "/api/v1/me/tokens")]
    [InlineData("GET", "/api/v1/me/tokens/1")]
    [InlineData("DELETE", "/api/v1/me/tokens/1")]
    [InlineData("DELETE", "/api/v1/tokens/current")]
    public async Task A_scoped_token_has_nothing_to_do_with_tokens(string method, string path)
    {
        await using var fixture = await ApiFixture.CreateAsync();
        (await fixture.SendAsync(method, path, await fixture.TokenAsync("ann", ["yank"])))
            .ShouldFail(403, "this token does not have the required permissions to perform this action");
        (await fixture.SendAsync(method, path, await fixture.TokenAsync("ann", null, ["foo"])))
            .ShouldFail(403, "this token does not have the required permissions to perform this action");
    }

    [Theory]
    [InlineData("""{"api_token":{"name":""}}""", 400, "name must have a value")]
    [InlineData("""{"api_token":{"name":"x","crate_scopes":["te*st"]}}""", 400, "invalid crate scope")]
    [InlineData("""{"api_token":{"name":"x","endpoint_scopes":["all"]}}""", 400, "invalid endpoint scope")]
    [InlineData("""{"api_token":{"name":"x","expired_at":"soon"}}""", 422, "the request body must have an `api_token` with `name` and, optional, `crate_scopes`, `endpoint_scopes` and `expired_at`")]
    [InlineData("""{"api_token":{}}""", 422, "the request body must have an `api_token` with `name` and, optional, `crate_scopes`, `endpoint_scopes` and `expired_at`")]
    public async Task A_token_that_makes_no_sense_is_not_made(string body, int status, string text)
    {
        await using var fixture = await ApiFixture.CreateAsync();
        (await fixture.SendAsync("PUT", "/api/v1/me/tokens", await fixture.TokenAsync("ann"), body)).ShouldFail(status, text);
    }

    [Fact]
    public async Task Expired_tokens_are_listed_only_for_the_days_asked_for()
    {
        await using var fixture = await ApiFixture.CreateAsync();
        var token = await fixture.TokenAsync("ann");
        await fixture.SendAsync("PUT", "/api/v1/me/tokens", token, """{"api_token":{"name":"old","expired_at":"2026-01-01T00:00:00Z"}}""");
        (await fixture.GetAsync("/api/v1/me/tokens", token)).Json.GetProperty("api_tokens").GetArrayLength().ShouldBe(1);
        (await fixture.GetAsync("/api/v1/me/tokens?expired_days=3", token)).Json.GetProperty("api_tokens").GetArrayLength().ShouldBe(2);
    }
}
