using System.Text;
using Microsoft.AspNetCore.Builder;
using Pipeline.Registry.Options;

namespace Pipeline.Api.Tests.Access;

public class ReadPolicyTests
{
    [Theory]
    [InlineData("/index/config.json")]
    [InlineData("/index/al/ph/alpha-x")]
    [InlineData("/crates/foo/foo-1.0.0.crate")]
    [InlineData("/api/v1/crates?q=foo")]
    [InlineData("/api/v1/crates/foo")]
    [InlineData("/api/v1/crates/foo/owners")]
    [InlineData("/api/v1/crates/foo/1.0.0/download")]
    [InlineData("/api/v1/summary")]
    [InlineData("/nothing")]
    [InlineData("/INDEX/config.json")]
    public async Task With_authentication_required_everything_asks_for_a_token_as_cargo_expects(string path)
    {
        await using var fixture = await SeedAsync(authRequired: true);
        foreach (var method in new[] { "GET", "HEAD", "PUT", "DELETE" })
        {
            var answer = await fixture.SendAsync(method, path);
            answer.Status.ShouldBe(401);
            answer.Headers["WWW-Authenticate"].ShouldBe("Cargo login_url=\"https://crates.example/me\"");
            answer.Headers["Cache-Control"].ShouldBe("no-store");
            if (method != "HEAD") answer.Error.ShouldBe("this action requires authentication");
        }

        (await fixture.GetAsync(path, await fixture.TokenAsync("ann", ["yank"], ["nothing"]))).Status.ShouldNotBe(401);
    }

    [Theory]
    [InlineData("cio00000000000000000000000000000000", "authentication failed")]
    [InlineData("Basic abc", "Invalid `Authorization` header: Found unexpected authentication scheme `Basic`")]
    public async Task A_token_that_is_not_valid_is_a_401_too(string token, string text)
    {
        await using var fixture = await SeedAsync(authRequired: true);
        (await fixture.GetAsync("/index/config.json", token)).ShouldFail(401, text);
    }

    [Theory]
    [InlineData("/healthz")]
    [InlineData("/readyz")]
    public async Task Health_is_open_to_all(string path)
    {
        await using var fixture = await SeedAsync(authRequired: true);
        (await fixture.GetAsync(path)).ShouldBeOk();
    }

    [Fact]
    public async Task Git_gives_the_token_as_a_password()
    {
        await using var fixture = await ApiFixture.CreateAsync(
            new RegistryOptions { PublicUrl = "https://crates.example", AuthRequired = true }, map: static app => app.MapGet("/git/elsewhere", static () => "refs"));
        var token = await fixture.TokenAsync("ann");
        var asked = await fixture.GetAsync("/git/elsewhere");
        asked.Status.ShouldBe(401);
        asked.Headers["WWW-Authenticate"].ShouldBe("Basic realm=\"registry\", charset=\"UTF-8\"");
        (await fixture.GetAsync("/git/elsewhere", Basic($"anyone:{token}"))).Text.ShouldBe("refs");
        (await fixture.GetAsync("/git/elsewhere", $"Bearer {token}")).Text.ShouldBe("refs");
        (await fixture.GetAsync("/git/elsewhere", Basic("anyone:cio00000000000000000000000000000000"))).Status.ShouldBe(401);
        (await fixture.GetAsync("/git/elsewhere", Basic(token))).Status.ShouldBe(401);
        (await fixture.GetAsync("/git/elsewhere", "Basic %%%")).Status.ShouldBe(401);
        (await fixture.GetAsync("/index/config.json", Basic($"anyone:{token}"))).Status.ShouldBe(401, "only git sends passwords");
    }

    [Fact]
    public async Task Without_it_nobody_is_asked()
    {
        await using var fixture = await SeedAsync(authRequired: false);
        (await fixture.GetAsync("/index/config.json")).Status.ShouldBe(200);
        (await fixture.GetAsync("/api/v1/crates/foo")).Status.ShouldBe(200);
        (await fixture.GetAsync("/crates/foo/foo-1.0.0.crate", "cio00000000000000000000000000000000")).Status.ShouldBe(200);
    }

    [Fact]
    public async Task Readiness_says_what_is_away()
    {
        await using var fixture = await SeedAsync(authRequired: false);
        await fixture.Temp.CloseAsync();
        (await fixture.GetAsync("/readyz")).ShouldFail(503, "Service unavailable: the database cannot be reached");
        (await fixture.GetAsync("/healthz")).ShouldBeOk();
    }

    private static string Basic(string pair) => "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes(pair));

    private static async Task<ApiFixture> SeedAsync(bool authRequired)
    {
        var fixture = await ApiFixture.CreateAsync(new RegistryOptions { PublicUrl = "https://crates.example", AuthRequired = authRequired });
        await fixture.PublishAsync("ann", "foo", "1.0.0");
        return fixture;
    }
}
