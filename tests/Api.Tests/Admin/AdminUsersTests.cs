namespace Pipeline.Api.Tests.Admin;

public class AdminUsersTests
{
    private const string Users = "/api/v1/admin/users";

    [Fact]
    public async Task An_account_is_made_listed_locked_and_unlocked()
    {
        var (fixture, token) = await AdminFixture.CreateAsync();
        await using var api = fixture;
        var added = await api.SendAsync("POST", Users, token, """{"login":"Ann","name":"Ann A.","email":"ann@example.com"}""");
        added.Status.ShouldBe(201);
        var user = added.Json.GetProperty("user");
        user.GetProperty("login").GetString().ShouldBe("Ann");
        user.GetProperty("email").GetString().ShouldBe("ann@example.com");
        user.GetProperty("is_admin").GetBoolean().ShouldBeFalse();
        user.GetProperty("created_at").GetString()!.ShouldEndWith("Z");

        var anns = await api.TokenAsync("bob");
        var locked = await api.SendAsync("PUT", $"{Users}/bob/lock", token, """{"reason":"spam","until":"2030-01-01T00:00:00Z"}""");
        locked.Json.GetProperty("user").GetProperty("locked_until").GetString().ShouldBe("2030-01-01T00:00:00Z");
        (await api.GetAsync("/api/v1/me", anns)).ShouldFail(403, "This account is locked until 2030-01-01 at 00:00:00 UTC. Reason: spam");

        (await api.SendAsync("DELETE", $"{Users}/BOB/lock", token)).Json.GetProperty("user").GetProperty("lock_reason").GetString().ShouldBeNull();
        (await api.GetAsync("/api/v1/me", anns)).Status.ShouldBe(200);
        (await api.GetAsync(Users, token)).Json.GetProperty("users").EnumerateArray().Select(one => one.GetProperty("login").GetString()).ShouldBe(["root", "Ann", "bob"]);
    }

    [Fact]
    public async Task A_list_is_read_page_by_page()
    {
        var (fixture, token) = await AdminFixture.CreateAsync();
        await using var api = fixture;
        foreach (var login in (string[])["a", "b", "c"]) await api.UserAsync(login);
        var seen = new List<string>();
        for (string? cursor = "0"; cursor is not null;)
        {
            var page = (await api.GetAsync($"{Users}?limit=2&cursor={cursor}", token)).Json;
            seen.AddRange(page.GetProperty("users").EnumerateArray().Select(one => one.GetProperty("login").GetString()!));
            cursor = page.GetProperty("next_cursor").GetString();
        }

        seen.ShouldBe(["root", "a", "b", "c"]);
    }

    [Theory]
    [InlineData("POST", "", """{"login":"root"}""", 400, "a user with login `root` exists already")]
    [InlineData("POST", "", """{"login":"no blanks"}""", 400, null)]
    [InlineData("POST", "", """{}""", 400, null)]
    [InlineData("POST", "", """[]""", 422, null)]
    [InlineData("POST", "", """{"login":7}""", 422, null)]
    [InlineData("POST", "", "no json", 400, null)]
    [InlineData("PUT", "/nobody/lock", """{"reason":"x"}""", 404, "could not find user with login `nobody`")]
    [InlineData("PUT", "/root/lock", """{"reason":""}""", 400, null)]
    [InlineData("PUT", "/root/lock", """{"reason":"x","until":"soon"}""", 422, null)]
    [InlineData("DELETE", "/nobody/lock", null, 404, "could not find user with login `nobody`")]
    public async Task What_cannot_be_is_refused_with_a_sentence(string method, string path, string? body, int status, string? text)
    {
        var (fixture, token) = await AdminFixture.CreateAsync();
        await using var api = fixture;
        var answer = await api.SendAsync(method, Users + path, token, body);
        answer.Status.ShouldBe(status);
        answer.Error.ShouldNotBeEmpty();
        if (text is not null) answer.Error.ShouldBe(text);
    }

    [Fact]
    public async Task A_body_has_a_bound()
    {
        var (fixture, token) = await AdminFixture.CreateAsync();
        await using var api = fixture;
        (await api.SendAsync("POST", Users, token, "{\"login\":\"" + new string('a', 70_000) + "\"}")).Status.ShouldBe(413);
    }
}
