using System.Net;

namespace Pipeline.Cli.Tests;

public class CommandLineTests
{
    private const string User = """{"user":{"id":7,"login":"me","name":null,"email":null,"is_admin":false,"lock_reason":null,"locked_until":null,"created_at":"2026-01-02T03:04:05Z"}}""";

    [Theory]
    [InlineData("")]
    [InlineData("no-such-command")]
    [InlineData("user")]
    [InlineData("user add")]
    [InlineData("user add me --no-such-option")]
    [InlineData("user lock me")]
    [InlineData("token create")]
    [InlineData("token create --user me --expires soon")]
    [InlineData("token revoke first")]
    [InlineData("crate delete foo --availability-delay -1")]
    [InlineData("publish list --state lost")]
    [InlineData("publish list --limit 0")]
    [InlineData("failed list --kind odd")]
    [InlineData("failed show first")]
    [InlineData("failed replay")]
    [InlineData("failed replay --all --stage sweep")]
    [InlineData("failed replay --all --rate fast")]
    [InlineData("failed replay --all --rate 0/s")]
    [InlineData("up --port 70000")]
    [InlineData("up --set HoldSeconds")]
    [InlineData("up --listen everywhere")]
    [InlineData("import")]
    [InlineData("import . --jobs 0")]
    [InlineData("import . --order random")]
    [InlineData("check")]
    public async Task A_wrong_command_line_exits_with_2_and_says_what_is_wrong(string line)
    {
        using var session = new TestSession();
        (await session.RunAsync(line.Split(' ', StringSplitOptions.RemoveEmptyEntries))).ShouldBe(ExitCodes.Usage);
        session.Error.ShouldStartWith("error: ");
        session.Error.ShouldContain("pipeline");
        session.Output.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("--help")]
    [InlineData("--version")]
    [InlineData("token create --help")]
    public async Task Help_and_version_exit_with_0(string line)
    {
        using var session = new TestSession();
        (await session.RunAsync(line.Split(' '))).ShouldBe(ExitCodes.Succeeded);
        session.Output.ShouldNotBeEmpty();
    }

    [Fact]
    public async Task Token_create_prints_the_token_alone()
    {
        using var session = new TestSession((_, _) => (HttpStatusCode.Created, """{"token":{"id":1},"plaintext":"cioSecret"}"""));
        (await session.RunAsync("token", "create", "--user", "me", "--scope", "yank", "--scope", "publish-new", "--crate", "a*", "--expires", "2020-01-01T00:00:00Z")).ShouldBe(0);
        session.Output.ShouldBe("cioSecret\n");
        session.Requests.ShouldHaveSingleItem().Line.ShouldBe("POST /api/v1/admin/tokens");
        session.Requests[0].Body.ShouldBe(
            """{"user":"me","name":null,"endpoint_scopes":["yank","publish-new"],"crate_scopes":["a*"],"expires_at":"2020-01-01T00:00:00Z"}""");
        session.Requests[0].Request.Headers.GetValues("Authorization").ShouldBe(["cioToken"]);
    }

    [Fact]
    public async Task Json_is_printed_as_the_server_sent_it()
    {
        using var session = new TestSession((_, _) => (HttpStatusCode.OK, User));
        (await session.RunAsync("user", "add", "me", "--json")).ShouldBe(0);
        session.Output.ShouldBe(User + "\n");
    }

    [Theory]
    [InlineData("user add me --email a@b --name Me --admin", "POST /api/v1/admin/users", """{"login":"me","name":"Me","email":"a@b","is_admin":true}""")]
    [InlineData("user lock me --reason spam --until 2030-01-01", "PUT /api/v1/admin/users/me/lock", """{"reason":"spam","until":"2030-01-01T00:00:00Z"}""")]
    [InlineData("user unlock a/b", "DELETE /api/v1/admin/users/a%2Fb/lock", "")]
    [InlineData("user list --limit 5 --cursor 17", "GET /api/v1/admin/users?limit=5&cursor=17", "")]
    [InlineData("token list --user me", "GET /api/v1/admin/tokens?user=me&limit=50", "")]
    [InlineData("token revoke 12", "DELETE /api/v1/admin/tokens/12", "")]
    [InlineData("crate show foo", "GET /api/v1/admin/crates/foo", "")]
    [InlineData("crate delete foo --yes", "DELETE /api/v1/admin/crates/foo", "")]
    [InlineData("crate delete foo -y --availability-delay 0", "DELETE /api/v1/admin/crates/foo?availability_delay_hours=0", "")]
    [InlineData("crate delete foo --yes --availability-delay 1.5", "DELETE /api/v1/admin/crates/foo?availability_delay_hours=1.5", "")]
    [InlineData("version yank foo 1.0.0+a", "PUT /api/v1/admin/crates/foo/1.0.0%2Ba/yank", "")]
    [InlineData("version unyank foo 1.0.0", "PUT /api/v1/admin/crates/foo/1.0.0/unyank", "")]
    [InlineData("version delete foo 1.0.0 --yes", "DELETE /api/v1/admin/crates/foo/1.0.0", "")]
    [InlineData("publish list --state rejected --crate foo --since 2026-01-01", "GET /api/v1/admin/publishes?state=rejected&crate=foo&since=2026-01-01T00%3A00%3A00.0000000Z&limit=50", "")]
    [InlineData("publish show 0190", "GET /api/v1/admin/publishes/0190", "")]
    [InlineData("status", "GET /api/v1/admin/status", "")]
    [InlineData("failed list --stage sweep --code x", "GET /api/v1/admin/failures?stage=sweep&code=x&limit=50", "")]
    [InlineData("failed list --kind fault --until 2026-01-01 --key 7 --resolved", "GET /api/v1/admin/failures?kind=fault&key=7&until=2026-01-01T00%3A00%3A00.0000000Z&state=resolved&limit=50", "")]
    [InlineData("failed show 7", "GET /api/v1/admin/failures/7", "")]
    [InlineData("failed replay --id 7", "GET /api/v1/admin/failures/7", "")]
    [InlineData("failed replay --all --dry-run", "GET /api/v1/admin/failures?limit=1000", "")]
    public async Task Every_command_sends_one_request(string line, string request, string body)
    {
        using var session = new TestSession((_, _) => (HttpStatusCode.NotFound, """{"errors":[{"detail":"a sentence"}]}"""));
        (await session.RunAsync(line.Split(' '))).ShouldBe(ExitCodes.Failed);
        session.Requests.ShouldHaveSingleItem().Line.ShouldBe(request);
        session.Requests[0].Body.ShouldBe(body);
        session.Error.ShouldBe("error: a sentence\n");
        session.Output.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("crate delete foo")]
    [InlineData("version delete foo 1.0.0")]
    public async Task A_deletion_is_not_done_without_a_yes(string line)
    {
        using var nobody = new TestSession();
        (await nobody.RunAsync(line.Split(' '))).ShouldBe(ExitCodes.Failed);
        nobody.Error.ShouldContain("--yes");

        using var no = new TestSession { Answer = "no\n" };
        (await no.RunAsync(line.Split(' '))).ShouldBe(ExitCodes.Failed);
        no.Requests.ShouldBeEmpty();

        using var yes = new TestSession((_, _) => (HttpStatusCode.OK, """{"crate":"foo","versions":["1.0.0"],"available_at":null}""")) { Answer = "yes\n" };
        (await yes.RunAsync(line.Split(' '))).ShouldBe(ExitCodes.Succeeded);
    }

    [Theory]
    [InlineData("not json", "does not understand")]
    [InlineData("{}", "does not understand")]
    public async Task An_answer_of_something_else_is_a_failure_with_a_sentence(string body, string said)
    {
        using var session = new TestSession((_, _) => (HttpStatusCode.OK, body));
        (await session.RunAsync("token", "create", "--user", "me")).ShouldBe(ExitCodes.Failed);
        session.Error.ShouldContain(said);
    }

    [Fact]
    public void Options_of_up_become_configuration() => Commands.ServeCommands.Overrides("/data", noRateLimits: true, ["Publish:HoldSeconds=5", "Registry__PublicUrl=https://example.com/?a=b"])
        .ShouldBe(new Dictionary<string, string?>
        {
            ["Registry:Data"] = "/data",
            ["RateLimits:Enabled"] = "False",
            ["Publish:HoldSeconds"] = "5",
            ["Registry:PublicUrl"] = "https://example.com/?a=b",
        }, ignoreOrder: true);

    [Fact]
    public async Task A_server_that_is_away_is_named()
    {
        using var session = new TestSession((_, _) => throw new HttpRequestException(HttpRequestError.ConnectionError, "refused"));
        (await session.RunAsync("status")).ShouldBe(ExitCodes.Failed);
        session.Error.ShouldContain("no registry answers at http://127.0.0.1:1/");
    }
}
