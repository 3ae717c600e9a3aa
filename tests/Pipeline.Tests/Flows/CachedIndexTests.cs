using System.Globalization;
using System.Net;
using Pipeline.Tests.Generating;
using Pipeline.Tests.Services;
using Pipeline.Tests.Serving;

namespace Pipeline.Tests.Flows;

/// <summary>A registry behind a real Varnish that keeps index files for an hour: what a client reads there is never older than the registry's own answer.</summary>
public sealed class CachedIndexTests : IAsyncDisposable
{
    private readonly HttpClient _http = new();
    private RealServices? _services;
    private RunningPipeline _pipeline = null!;
    private Uri _edge = null!;

    [Theory]
    [InlineData("standalone", "false")]
    [InlineData("standalone", "true")]
    [InlineData("distributed", "true")]
    public async Task Publish_yank_and_deletion_are_seen_through_the_cache(string shape, string keys)
    {
        _pipeline = shape == "standalone"
            ? await InProcessPipeline.StartAsync(pipeline => Behind(pipeline, keys))
            : await DistributedPipeline.StartAsync(pipeline => Behind(pipeline, keys));
        var user = await _pipeline.AddUserAsync();
        const string Index = "index/ca/ch/cached-crate";
        const string File = "crates/cached-crate/cached-crate-1.0.0.crate";
        (await ReadAsync(Index)).ShouldBe("404");

        var bytes = CrateFile.Plain("cached-crate", "1.0.0");
        (await _pipeline.PublishAsync(CrateFile.Body("cached-crate", "1.0.0", bytes), user.Token)).ShouldBeAccepted();
        await PurgedAsync();
        (await ReadAsync(Index)).ShouldContain("\"yanked\":false");
        (await ReadAsync(Index)).ShouldStartWith("HIT");
        await ReadAsync(File);
        (await ReadAsync(File)).ShouldStartWith("HIT");

        await SendAsync(HttpMethod.Delete, "/api/v1/crates/cached-crate/1.0.0/yank", user.Token);
        await PurgedAsync();
        (await ReadAsync(Index)).ShouldContain("\"yanked\":true");

        (await _pipeline.PublishAsync(CrateFile.Body("cached-crate", "1.1.0", CrateFile.Plain("cached-crate", "1.1.0")), user.Token)).ShouldBeAccepted();
        await PurgedAsync();
        (await ReadAsync(Index)).ShouldContain("\"1.1.0\"");
        (await ReadAsync(File)).ShouldStartWith("HIT", customMessage: "a publish throws no file out of the cache");

        await SendAsync(HttpMethod.Delete, "/api/v1/crates/cached-crate", user.Token);
        await PurgedAsync();
        (await ReadAsync(Index)).ShouldBe("404");
        (await ReadAsync(File)).ShouldBe("404");
    }

    public async ValueTask DisposeAsync()
    {
        if (_pipeline is not null) await _pipeline.DisposeAsync();
        if (_services is not null) await _services.DisposeAsync();
        _http.Dispose();
    }

    private IEnumerable<(string Key, string Value)> Behind(RunningPipeline pipeline, string keys)
    {
        _services = RealServices.StartAsync(["varnish"], "--origin", string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{pipeline.Port}")).GetAwaiter().GetResult();
        _edge = new Uri(new Uri(_services["PIPELINE__Cdn__Targets__0__IndexUrls__0"]), "/");
        return
        [
            .. _services.Environment.Where(variable => variable.Key.StartsWith("PIPELINE__Cdn", StringComparison.Ordinal))
                .Select(variable => (variable.Key["PIPELINE__".Length..].Replace("__", ":", StringComparison.Ordinal), variable.Value)),
            ("Cdn:Targets:0:SurrogateKeys", keys), ("Cdn:IndexSeconds", "3600"), ("Workers:SweepSeconds", "1"), ("Workers:RingAgainSeconds", "2"),
        ];
    }

    /// <summary>What a client reads at the edge: how it came and what it is.</summary>
    private async Task<string> ReadAsync(string path)
    {
        using var response = await _http.GetAsync(new Uri(_edge, path), TestContext.Current.CancellationToken);
        if (response.StatusCode == HttpStatusCode.NotFound) return "404";
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        return $"{response.Headers.GetValues("X-Cache").Single()} {await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)}";
    }

    private async Task SendAsync(HttpMethod method, string path, string token)
    {
        using var request = new HttpRequestMessage(method, new Uri(_pipeline.Url + path));
        request.Headers.TryAddWithoutValidation("Authorization", token);
        using var response = await _pipeline.Http.SendAsync(request, TestContext.Current.CancellationToken);
        response.IsSuccessStatusCode.ShouldBeTrue($"{(int)response.StatusCode} {await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)}");
    }

    /// <summary>Returns once every projection is up to date, the caches included, and deleted bytes are gone.</summary>
    private async Task PurgedAsync()
    {
        await _pipeline.SettleAsync(60);
        await Deadline.UntilAsync(60, async () =>
        {
            var status = await _pipeline.AdminAsync(HttpMethod.Get, "status");
            var waiting = status.GetProperty("stages").EnumerateArray().Where(stage => stage.GetProperty("waiting").GetInt64() > 0).Select(stage => stage.GetProperty("stage").GetString()).ToList();
            return waiting.Count == 0 ? null : $"waiting: {string.Join(", ", waiting)}; failures {status.GetProperty("failures")}";
        });
    }
}
