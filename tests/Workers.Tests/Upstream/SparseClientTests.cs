using Pipeline.Registry.Options;
using Pipeline.Workers.Upstream;

namespace Pipeline.Workers.Tests.Upstream;

/// <summary>The client of sparse indexes: every answer bounded in bytes, time and redirects.</summary>
public sealed class SparseClientTests
{
    [Fact]
    public async Task HTTP_2_is_spoken_where_the_server_has_it_and_a_second_look_brings_no_bytes()
    {
        await using var server = await SparseServer.StartAsync(tls: true);
        server.Put(("serde", "some bytes"));
        using var client = new SparseClient(server.Root, new UpstreamOptions(), static (_, certificate, _, _) => certificate?.Subject == "CN=upstream");

        var found = (await client.GetAsync("se/rd/serde", null, 100, CancellationToken.None)).ShouldBeOfType<SparseAnswer.Found>();
        (await client.GetAsync("se/rd/serde", found.Mark, 100, CancellationToken.None)).ShouldBeOfType<SparseAnswer.Unchanged>();

        server.Take().ShouldBe(["HTTP/2 200 se/rd/serde", "HTTP/2 304 se/rd/serde"]);
    }

    [Fact]
    public async Task A_certificate_that_nobody_trusts_is_a_server_that_is_away()
    {
        await using var server = await SparseServer.StartAsync(tls: true);
        using var client = new SparseClient(server.Root, new UpstreamOptions());

        (await client.GetAsync("config.json", null, 100, CancellationToken.None)).ShouldBe(new SparseAnswer.Failed("file-away", "the server cannot be reached (SecureConnectionError)"));
    }

    [Theory]
    [InlineData(404)]
    [InlineData(410)]
    [InlineData(451)]
    public async Task A_file_that_is_not_there_is_absent_whatever_the_reason(int status)
    {
        await using var server = await SparseServer.StartAsync();
        server["1/a"] = SparseServer.Status(status);
        using var client = new SparseClient(server.Root, new UpstreamOptions());

        (await client.GetAsync("1/a", null, 100, CancellationToken.None)).ShouldBeOfType<SparseAnswer.Absent>();
    }

    [Theory]
    [InlineData("/index/1/b", null)]
    [InlineData("b", null)]
    [InlineData("/index/1/loop", "it is redirected more than 5 times")]
    [InlineData("ftp://127.0.0.1/index/1/b", "it is redirected to `ftp`, or to a URL with a password")]
    [InlineData("file:///etc/passwd", "it is redirected to `file`, or to a URL with a password")]
    [InlineData("http://user:word@127.0.0.1/x", "it is redirected to `http`, or to a URL with a password")]
    [InlineData("http://169.254.169.254/latest/meta-data", "it is redirected to where we do not go: 169.254.169.254 has no public address, and its own is not among the allowed ones")]
    [InlineData("http://localhost:1/x", "it is redirected to where we do not go: localhost has no public address, and its own is not among the allowed ones")]
    public async Task Redirects_are_followed_within_bounds(string to, string? refused)
    {
        await using var server = await SparseServer.StartAsync();
        server["1/a"] = SparseServer.Redirect(to);
        server["1/loop"] = SparseServer.Redirect("/index/1/loop");
        server.Put(("b", "here"));
        using var client = new SparseClient(server.Root, new UpstreamOptions());

        var answer = await client.GetAsync("1/a", null, 100, CancellationToken.None);

        if (refused is null) answer.ShouldBeOfType<SparseAnswer.Found>().Bytes.ShouldBe("here"u8.ToArray());
        else answer.ShouldBe(new SparseAnswer.Failed("file-refused", refused));
    }

    [Fact]
    public async Task What_was_asked_for_over_TLS_is_not_fetched_without_it()
    {
        await using var server = await SparseServer.StartAsync(tls: true);
        server["1/a"] = SparseServer.Redirect(server.Root.AbsoluteUri.Replace("https", "http", StringComparison.Ordinal));
        using var client = new SparseClient(server.Root, new UpstreamOptions(), static (_, certificate, _, _) => certificate?.Subject == "CN=upstream");

        (await client.GetAsync("1/a", null, 100, CancellationToken.None)).ShouldBeOfType<SparseAnswer.Failed>().Code.ShouldBe("file-refused");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_file_that_is_too_large_is_not_taken_whether_it_says_so_or_not(bool says)
    {
        await using var server = await SparseServer.StartAsync();
        server["1/a"] = async context =>
        {
            if (says) context.Response.ContentLength = 101;
            await context.Response.Body.WriteAsync(new byte[101]);
        };
        using var client = new SparseClient(server.Root, new UpstreamOptions());

        (await client.GetAsync("1/a", null, 100, CancellationToken.None)).ShouldBe(new SparseAnswer.Failed("file-too-large", "the file has more than 100 bytes"));
    }

    [Fact]
    public async Task A_file_that_is_small_packed_and_too_large_unpacked_is_not_taken()
    {
        await using var server = await SparseServer.StartAsync();
        server["1/a"] = async context =>
        {
            context.Response.Headers.ContentEncoding = "gzip";
            var body = context.Response.BodyWriter.AsStream();
            await using var zip = new System.IO.Compression.GZipStream(body, System.IO.Compression.CompressionLevel.Fastest);
            await zip.WriteAsync(new byte[1 << 20]);
        };
        using var client = new SparseClient(server.Root, new UpstreamOptions());

        (await client.GetAsync("1/a", null, 100_000, CancellationToken.None)).ShouldBeOfType<SparseAnswer.Failed>().Code.ShouldBe("file-too-large");
    }

    [Fact]
    public async Task A_body_that_does_not_end_is_given_up_after_the_time_limit()
    {
        await using var server = await SparseServer.StartAsync();
        server["1/a"] = async context =>
        {
            await context.Response.Body.WriteAsync(new byte[10]);
            await context.Response.Body.FlushAsync();
            await Task.Delay(Timeout.Infinite, context.RequestAborted);
        };
        using var client = new SparseClient(server.Root, new UpstreamOptions { SparseSeconds = 0.3 });

        (await client.GetAsync("1/a", null, 100, CancellationToken.None)).ShouldBe(new SparseAnswer.Failed("file-away", "the file did not come within 0.3 s"));
    }
}
