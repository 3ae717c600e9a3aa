using System.Buffers.Text;
using System.Net.Sockets;
using System.Text;
using Pipeline.Api.Tests.Admin;

namespace Pipeline.Api.Tests.Http;

/// <summary>Whatever the shape of a request, it is never our failure: the answer is a 4xx with a sentence.</summary>
public class RequestShapeTests
{
    private const string Half = "\\ud800";

    [Theory]
    [InlineData("PUT", "/api/v1/me/tokens", "{\"api_token\":{\"name\":\"a" + Half + "\"}}")]
    [InlineData("PUT", "/api/v1/me/tokens", "{\"api_token\":{\"name\":\"a\",\"expired_at\":\"" + Half + "\"}}")]
    [InlineData("PUT", "/api/v1/me/tokens", "{\"" + Half + "\":1,\"api_token\":{\"name\":\"a\"}}")]
    [InlineData("PUT", "/api/v1/me/tokens", "{\"api_token\":{\"name\":\"a\",\"crate_scopes\":[\"" + Half + "\"]}}")]
    [InlineData("PUT", "/api/v1/crates/foo/owners", "{\"users\":[\"" + Half + "x\"]}")]
    [InlineData("DELETE", "/api/v1/crates/foo/owners", "{\"owners\":[\"\\udc00\"]}")]
    [InlineData("PATCH", "/api/v1/crates/foo/1.0.0", "{\"version\":{\"yanked\":true,\"yank_message\":\"" + Half + "\"}}")]
    [InlineData("POST", "/api/v1/admin/users", "{\"login\":\"" + Half + "\"}")]
    [InlineData("POST", "/api/v1/admin/tokens", "{\"user\":\"" + Half + "\"}")]
    [InlineData("POST", "/api/v1/admin/webhooks", "{\"url\":\"" + Half + "\"}")]
    [InlineData("PUT", "/api/v1/me/tokens", "[1]")]
    [InlineData("PUT", "/api/v1/crates/foo/owners", "7")]
    [InlineData("PATCH", "/api/v1/crates/foo/1.0.0", "null")]
    [InlineData("POST", "/api/v1/admin/users", "[[]]")]
    public async Task JSON_that_is_no_text_or_of_another_shape_is_refused(string method, string path, string body)
    {
        var (fixture, token) = await AdminFixture.CreateAsync();
        await using var _ = fixture;

        var answer = await fixture.SendAsync(method, path, token, body);

        answer.Status.ShouldBeInRange(400, 499, answer.Text);
        answer.Error.Length.ShouldBeGreaterThan(10);
    }

    [Theory]
    [InlineData("[1,\"\\ud800\"]")]
    [InlineData("[1,\"\\udc00a\"]")]
    [InlineData("{}")]
    public async Task A_place_in_a_list_that_is_no_text_is_refused(string seek)
    {
        await using var fixture = await ApiFixture.CreateAsync();
        await fixture.PublishAsync("ann", "foo", "1.0.0");

        (await fixture.GetAsync($"/api/v1/crates/foo/versions?seek={Base64Url.EncodeToString(Encoding.UTF8.GetBytes(seek))}")).ShouldFail(400, "invalid seek parameter");
    }

    [Theory]
    [InlineData("/api/v1/crates?page=99999999999999999999")]
    [InlineData("/api/v1/me/tokens?expired_days=99999999999999999999")]
    [InlineData("/api/v1/me/tokens?expired_days=x")]
    [InlineData("/api/v1/crates?q=%00&page=%00")]
    [InlineData("/api/v1/changes?since=%ED%A0%80")]
    public async Task A_parameter_that_is_no_number_is_refused_with_a_sentence(string path)
    {
        await using var fixture = await ApiFixture.CreateAsync();

        var answer = await fixture.GetAsync(path, await fixture.TokenAsync("ann"));

        answer.Status.ShouldBeInRange(400, 499, answer.Text);
        answer.Error.Length.ShouldBeGreaterThan(5);
    }

    [Theory]
    [InlineData("PUT /api/v1/crates/new")]
    [InlineData("PUT /api/v1/me/tokens")]
    [InlineData("PUT /api/v1/crates/foo/owners")]
    public async Task A_chunk_whose_size_overflows_is_refused(string line)
    {
        await using var fixture = await ApiFixture.CreateAsync();

        foreach (var size in new[] { "FFFFFFFFFFFFFFFFFF", "80000000", "7FFFFFFFF" })
        {
            var answer = await RawAsync(fixture, $"{line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n{size}\r\nabc");

            answer.ShouldMatch("^HTTP/1.1 4\\d\\d ", $"{size}: {answer}");
            answer.ShouldContain("{\"errors\":[{\"detail\":\"");
        }
    }

    [Fact]
    public async Task The_address_in_the_description_of_the_API_is_ours_whatever_host_is_asked_for()
    {
        await using var fixture = await ApiFixture.CreateAsync();

        var answer = await fixture.GetAsync("/openapi/v1.json", null, ("Host", "evil.example"));

        answer.Text.ShouldNotContain("evil");
        answer.Json.GetProperty("servers")[0].GetProperty("url").GetString().ShouldBe("https://crates.example");
    }

    [Fact]
    public async Task What_is_quoted_of_a_long_request_is_cut()
    {
        await using var fixture = await ApiFixture.CreateAsync();
        var token = await fixture.TokenAsync("ann");
        var name = new string('a', 6000);

        (await fixture.GetAsync($"/api/v1/crates/{name}")).Text.Length.ShouldBeLessThan(400);
        (await fixture.GetAsync($"/api/v1/publishes/{name}")).Text.Length.ShouldBeLessThan(400);
        (await fixture.GetAsync("/api/v1/me", $"{name} x")).Text.Length.ShouldBeLessThan(400);
        (await fixture.GetAsync($"/api/v1/me/tokens?expired_days={name}", token)).Text.Length.ShouldBeLessThan(400);
        (await fixture.GetAsync($"/crates/foo/{name}.crate")).Text.Length.ShouldBeLessThan(400);
        (await fixture.SendAsync("PUT", "/api/v1/crates/new", token, name)).Text.Length.ShouldBeLessThan(400);
    }

    private static async Task<string> RawAsync(ApiFixture fixture, string request)
    {
        var cancel = TestContext.Current.CancellationToken;
        using var client = new TcpClient();
        await client.ConnectAsync("127.0.0.1", new Uri(fixture.Url).Port, cancel);
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(request), cancel);
        using var answer = new MemoryStream();
        await client.GetStream().CopyToAsync(answer, cancel);
        return Encoding.UTF8.GetString(answer.ToArray());
    }
}
