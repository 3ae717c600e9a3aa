using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using Pipeline.Api.Git;
using Pipeline.Registry.Tests.Git;

namespace Pipeline.Api.Tests.Git;

public sealed class GitIndexEndpointsTests
{
    private const string ListRefs = "0014command=ls-refs\n0000";

    [Theory]
    [InlineData("GET", "/info/refs", 403)]
    [InlineData("GET", "/info/refs?service=git-receive-pack", 403)]
    [InlineData("POST", "/git-receive-pack", 403)]
    [InlineData("GET", "/HEAD", 404)]
    [InlineData("GET", "/objects/info/packs", 404)]
    [InlineData("GET", "", 404)]
    [InlineData("GET", "/git-upload-pack", 404)]
    [InlineData("POST", "/git-upload-pack", 415)]
    public async Task What_is_no_fetch_is_refused_in_plain_words(string method, string path, int status)
    {
        await using var served = await ServedIndex.StartAsync();
        await served.CommitAsync("1/a", "one\n");
        using var request = new HttpRequestMessage(new HttpMethod(method), served.Url + path);
        var response = await served.Client.SendAsync(request);
        ((int)response.StatusCode).ShouldBe(status);
        response.Content.Headers.ContentType!.MediaType.ShouldBe("text/plain");
        (await response.Content.ReadAsStringAsync()).Length.ShouldBeGreaterThan(10);
    }

    [Theory]
    [InlineData(null, "001e# service=git-upload-pack\n0000")]
    [InlineData("version=1", "001e# service=git-upload-pack\n0000000eversion 1\n")]
    [InlineData("version=2", "000eversion 2\n")]
    [InlineData("version=1:version=2:agent=x", "000eversion 2\n")]
    [InlineData("version=9", "001e# service=git-upload-pack\n0000")]
    public async Task The_advertisement_speaks_the_protocol_asked_for_and_is_never_cached(string? protocol, string beginning)
    {
        await using var served = await ServedIndex.StartAsync();
        await served.CommitAsync("1/a", "one\n");
        using var request = new HttpRequestMessage(HttpMethod.Get, served.Url + "/info/refs?service=git-upload-pack");
        if (protocol is not null) request.Headers.Add("Git-Protocol", protocol);
        var response = await served.Client.SendAsync(request);
        (await response.Content.ReadAsStringAsync()).ShouldStartWith(beginning);
        response.Content.Headers.ContentType!.ToString().ShouldBe("application/x-git-upload-pack-advertisement");
        response.Headers.NonValidated["Cache-Control"].ToString().ShouldBe("no-cache, max-age=0, must-revalidate");
        response.Headers.Pragma.ToString().ShouldBe("no-cache");
        response.Content.Headers.Expires.ShouldBe(new DateTimeOffset(1980, 1, 1, 0, 0, 0, TimeSpan.Zero));
    }

    [Theory]
    [InlineData("version=2;rm")]
    [InlineData("version=2 x")]
    [InlineData("long")]
    public async Task A_protocol_header_that_could_not_be_one_is_refused(string protocol)
    {
        await using var served = await ServedIndex.StartAsync();
        await served.CommitAsync("1/a", "one\n");
        using var request = new HttpRequestMessage(HttpMethod.Get, served.Url + "/info/refs?service=git-upload-pack");
        request.Headers.Add("Git-Protocol", protocol == "long" ? new string('a', 257) : protocol);
        (await served.Client.SendAsync(request)).StatusCode.ShouldBe(HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task A_packed_request_is_answered_like_a_plain_one()
    {
        await using var served = await ServedIndex.StartAsync();
        var tip = await served.CommitAsync("1/a", "one\n");
        var plain = await served.Client.SendAsync(Fetch(served, Encoding.ASCII.GetBytes(ListRefs)));
        var packed = await served.Client.SendAsync(Fetch(served, Gzip(Encoding.ASCII.GetBytes(ListRefs)), "gzip"));
        var answer = await plain.Content.ReadAsStringAsync();
        answer.ShouldContain($"{tip} refs/heads/master\n");
        (await packed.Content.ReadAsStringAsync()).ShouldBe(answer);
        packed.Content.Headers.ContentType!.ToString().ShouldBe("application/x-git-upload-pack-result");
    }

    [Fact]
    public async Task A_request_that_unpacks_beyond_the_bound_is_refused()
    {
        await using var served = await ServedIndex.StartAsync(options: new GitServeOptions { MaxRequestBytes = 1 << 20 });
        await served.CommitAsync("1/a", "one\n");
        var bomb = Encoding.ASCII.GetBytes("0014command=ls-refs\n0001" + string.Concat(Enumerable.Repeat("0011ref-prefix a\n", 1 << 17)));
        (await served.Client.SendAsync(Fetch(served, Gzip(bomb), "gzip"))).StatusCode.ShouldBe(HttpStatusCode.RequestEntityTooLarge);
        (await served.Client.SendAsync(Fetch(served, bomb))).StatusCode.ShouldBe(HttpStatusCode.RequestEntityTooLarge);
        (await served.Client.SendAsync(Fetch(served, "no gzip"u8.ToArray(), "gzip"))).StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await served.Client.SendAsync(Fetch(served, [], "br"))).StatusCode.ShouldBe(HttpStatusCode.UnsupportedMediaType);
    }

    [Fact]
    public async Task Before_there_is_a_repository_the_answer_is_to_come_back()
    {
        await using var served = await ServedIndex.StartAsync();
        var response = await served.Client.GetAsync(served.Url + "/info/refs?service=git-upload-pack");
        response.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        response.Headers.RetryAfter!.Delta.ShouldBe(TimeSpan.FromSeconds(5));
    }

    [Fact]
    public async Task A_fetch_beyond_the_queue_is_told_to_come_back_and_a_client_that_goes_away_ends_its_git()
    {
        var folder = new IndexFolder();
        folder.HangOnDemand();
        await using var served = await ServedIndex.StartAsync(folder, new GitServeOptions { Parallel = 1, Waiting = 0 });
        await served.CommitAsync("1/a", "one\n");
        var hang = Path.Combine(folder.Root, "hang");
        await File.WriteAllTextAsync(hang, "");

        using var goingAway = new CancellationTokenSource();
        var hanging = served.Client.GetAsync(served.Url + "/info/refs?service=git-upload-pack", goingAway.Token);
        var process = await AppearsAsync(Path.Combine(folder.Root, "pid"));
        File.Delete(hang);
        var refused = await served.Client.GetAsync(served.Url + "/info/refs?service=git-upload-pack");
        refused.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        refused.Headers.RetryAfter.ShouldNotBeNull();

        Directory.Exists($"/proc/{process}").ShouldBeTrue();
        await goingAway.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => hanging);
        await UntilAsync(() => !Directory.Exists($"/proc/{process}"));
        await UntilAsync(() => served.Client.GetAsync(served.Url + "/info/refs?service=git-upload-pack").GetAwaiter().GetResult().IsSuccessStatusCode);
    }

    [Fact]
    public async Task A_fetch_that_makes_no_progress_is_ended()
    {
        await using var served = await ServedIndex.StartAsync(options: new GitServeOptions { Parallel = 1, Waiting = 0, IdleSeconds = 2 });
        await served.CommitAsync("1/a", "one\n");
        // By hand: HttpClient would not look at an answer before it has sent its body.
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, new Uri(served.Url).Port);
        await client.GetStream().WriteAsync("POST /git/index/git-upload-pack HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-git-upload-pack-request\r\nContent-Length: 100\r\n\r\n0032want"u8.ToArray());
        using var reader = new StreamReader(client.GetStream());
        (await reader.ReadLineAsync()).ShouldBe("HTTP/1.1 408 Request Timeout");
        (await served.Client.GetAsync(served.Url + "/info/refs?service=git-upload-pack")).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Clients_that_keep_silent_hold_no_turn()
    {
        await using var served = await ServedIndex.StartAsync(options: new GitServeOptions { Parallel = 1, Waiting = 0 });
        await served.CommitAsync("1/a", "one\n");
        using var goingAway = new CancellationTokenSource();
        List<(HttpRequestMessage Request, EndlessContent Body)> silent = [];
        for (var i = 0; i < 5; i++)
        {
            var body = new EndlessContent();
            silent.Add((Fetch(served, body), body));
            _ = served.Client.SendAsync(silent[^1].Request, goingAway.Token);
        }

        foreach (var (_, body) in silent) await body.Begun;
        for (var i = 0; i < 5; i++)
        {
            (await served.Client.GetAsync(served.Url + "/info/refs?service=git-upload-pack")).StatusCode.ShouldBe(HttpStatusCode.OK);
            (await served.Client.SendAsync(Fetch(served, Encoding.ASCII.GetBytes(ListRefs)))).StatusCode.ShouldBe(HttpStatusCode.OK);
        }

        await goingAway.CancelAsync();
        foreach (var (request, body) in silent)
        {
            request.Dispose();
            body.Dispose();
        }
    }

    [Theory]
    [InlineData("zzzz")]
    [InlineData("0003")]
    [InlineData("ffff")]
    [InlineData("0014command=nonsense0000")]
    [InlineData("0014command=ls-refs\n")]
    [InlineData("0014command=ls-refs\n0001ffffx")]
    [InlineData("0032want 0000000000000000000000000000000000000000\n0000")]
    [InlineData("000bcommand0000")]
    [InlineData("\0\0\0\0\0\0\0\0")]
    public async Task A_request_that_git_cannot_read_is_the_clients_fault(string body)
    {
        await using var served = await ServedIndex.StartAsync();
        await served.CommitAsync("1/a", "one\n");
        foreach (var protocol in new[] { "version=2", "version=1", "version=0:object-format=sha256" })
        {
            using var request = Fetch(served, Encoding.Latin1.GetBytes(body));
            request.Headers.Remove("Git-Protocol");
            request.Headers.Add("Git-Protocol", protocol);
            var answer = await served.Client.SendAsync(request);
            ((int)answer.StatusCode).ShouldBeLessThan(500, $"{protocol}: {await answer.Content.ReadAsStringAsync()}");
        }
    }

    [Fact]
    public async Task A_repository_in_trouble_is_not_the_clients_fault()
    {
        await using var served = await ServedIndex.StartAsync();
        await served.CommitAsync("1/a", "one\n");
        Directory.Delete(Path.Combine(served.Repository.Path, "objects"), recursive: true);
        (await served.Client.SendAsync(Fetch(served, Encoding.ASCII.GetBytes(ListRefs)))).StatusCode.ShouldBe(HttpStatusCode.InternalServerError);
    }

    private static HttpRequestMessage Fetch(ServedIndex served, byte[] body, string? encoding = null)
    {
        var content = new ByteArrayContent(body);
        if (encoding is not null) content.Headers.ContentEncoding.Add(encoding);
        return Fetch(served, content);
    }

    private static HttpRequestMessage Fetch(ServedIndex served, HttpContent content)
    {
        content.Headers.ContentType = new MediaTypeHeaderValue("application/x-git-upload-pack-request");
        var request = new HttpRequestMessage(HttpMethod.Post, served.Url + "/git-upload-pack") { Content = content };
        request.Headers.Add("Git-Protocol", "version=2");
        return request;
    }

    private static byte[] Gzip(byte[] bytes)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest)) gzip.Write(bytes);
        return packed.ToArray();
    }

    private static async Task<string> AppearsAsync(string file)
    {
        await UntilAsync(() => File.Exists(file));
        return (await File.ReadAllTextAsync(file)).Trim();
    }

    private static async Task UntilAsync(Func<bool> done)
    {
        using var watch = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!done()) await Task.Delay(10, watch.Token);
    }

    /// <summary>A body that begins and never ends.</summary>
    private sealed class EndlessContent : HttpContent
    {
        private readonly TaskCompletionSource _begun = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Begun => _begun.Task;

        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
        {
            await stream.WriteAsync("0014command=ls-refs\n"u8.ToArray(), cancellationToken);
            await stream.FlushAsync(cancellationToken);
            _begun.TrySetResult();
            await Task.Delay(Timeout.Infinite, cancellationToken);
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
