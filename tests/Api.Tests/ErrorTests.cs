using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Pipeline.Registry.Failures;

namespace Pipeline.Api.Tests;

public class ErrorTests
{
    [Fact]
    public async Task A_transient_failure_is_a_503_that_says_what_is_away()
    {
        await using var fixture = await ApiFixture.CreateAsync(map: static app =>
            app.MapGet("/fail", static string () => throw new TransientException("store-away", "the object store cannot be reached")));
        (await fixture.GetAsync("/fail")).ShouldFail(503, "Service unavailable: the object store cannot be reached");
    }

    [Fact]
    public async Task A_fault_is_a_500_that_tells_nothing()
    {
        await using var fixture = await ApiFixture.CreateAsync(map: static app =>
            app.MapGet("/fail", static string () => throw new InvalidOperationException("secret details")));
        var answer = await fixture.GetAsync("/fail");
        answer.ShouldFail(500, "Internal Server Error");
        answer.Headers["X-Content-Type-Options"].ShouldBe("nosniff");
    }

    [Theory]
    [InlineData(new byte[] { 0xC3, 0xA9 })]
    [InlineData(new byte[] { 0xFF, 0xFE })]
    public async Task Header_bytes_outside_ASCII_are_answered_with_a_sentence_and_not_with_a_bare_400(byte[] bytes)
    {
        await using var fixture = await ApiFixture.CreateAsync();
        byte[] request = [.. "GET /api/v1/me HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: cio"u8, .. bytes, .. "\r\n\r\n"u8];
        var answer = await RawAsync(fixture, request);
        answer.ShouldStartWith("HTTP/1.1 401 ");
        answer.ShouldEndWith("""{"errors":[{"detail":"Invalid `Authorization` header: Found unexpected non-ASCII characters"}]}""");
    }

    [Fact]
    public async Task A_web_page_of_another_origin_cannot_act()
    {
        await using var fixture = await ApiFixture.CreateAsync();
        var token = await fixture.TokenAsync("ann");
        (await fixture.GetAsync("/api/v1/me", token, ("Origin", "https://evil.example"))).ShouldFail(403, "invalid origin header");
        (await fixture.GetAsync("/api/v1/me", token, ("Origin", "https://crates.example"))).Status.ShouldBe(200);
    }

    private static async Task<string> RawAsync(ApiFixture fixture, byte[] request)
    {
        var cancel = TestContext.Current.CancellationToken;
        using var client = new TcpClient();
        await client.ConnectAsync("127.0.0.1", new Uri(fixture.Url).Port, cancel);
        var stream = client.GetStream();
        await stream.WriteAsync(request, cancel);
        using var answer = new MemoryStream();
        await stream.CopyToAsync(answer, cancel);
        return Encoding.UTF8.GetString(answer.ToArray());
    }
}
