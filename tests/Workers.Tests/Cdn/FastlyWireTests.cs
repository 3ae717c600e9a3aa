using System.Globalization;
using System.Text.Json;
using Pipeline.Contracts;
using Pipeline.Contracts.Cdn;
using Pipeline.Registry.Cdn;
using Pipeline.Workers.Tests.Harness;

namespace Pipeline.Workers.Tests.Cdn;

/// <summary>Fastly on the wire: a server that checks token, form and limits as the provider does, and refuses on demand.</summary>
public sealed class FastlyWireTests
{
    [Fact]
    public async Task URLs_go_one_by_one_and_keys_by_the_batch()
    {
        var fake = new FakeFastly();
        await using var server = FakeServer.Start(fake.Answer);
        var byUrl = Target(server.Url, "by-url") with { SoftPurge = true };
        var byKey = Target(server.Url, "by-key") with { SurrogateKeys = true, ServiceId = "SRV", OriginTimeoutSeconds = 3600 };
        var options = PurgedRegistry.Options(byUrl, byKey);
        await using var harness = await WorkerHarness.StartAsync("purge-cdn", cdn: options);
        for (var i = 0; i < 300; i++) await harness.PurgeAsync(options, $"cr/at/crate-{i}");

        await harness.DeliverAsync(new PurgeCdn());

        fake.Urls.Count.ShouldBe(300);
        fake.Urls.ShouldContain("index.example/cr/at/crate-7 soft");
        fake.Keys.Count.ShouldBe(300);
        fake.Keys.ShouldContain("index:crate-7");
        server.Received.Count(received => received.Path.EndsWith("/SRV/purge", StringComparison.Ordinal)).ShouldBe(2, "at most 256 keys a call");
        (await harness.LongAsync("SELECT COUNT(*) FROM purges WHERE outcome = 'accepted'")).ShouldBe(600);
        (await harness.LongAsync("SELECT COUNT(*) FROM purges WHERE again AND confirmed_at IS NULL")).ShouldBe(300);
    }

    [Fact]
    public async Task A_rate_limit_is_waited_for_until_it_starts_anew()
    {
        await using var server = FakeServer.Start(_ =>
            new Reply(429, "", ("Fastly-RateLimit-Remaining", "0"), ("Fastly-RateLimit-Reset", DateTimeOffset.UtcNow.AddSeconds(100).ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture))));
        var options = PurgedRegistry.Options(Target(server.Url, "f") with { Parallel = 1 });
        await using var harness = await WorkerHarness.StartAsync("purge-cdn", cdn: options);
        for (var i = 0; i < 20; i++) await harness.PurgeAsync(options, $"cr/at/crate-{i}");

        await harness.DeliverAsync(new PurgeCdn());

        server.Received.Count.ShouldBe(1, "the rest of the batch stays unsent");
        (await harness.FailuresAsync()).ShouldBe(["transient/cdn-busy"]);
        (await harness.LongAsync("SELECT CASE WHEN next_try_at - now_us() BETWEEN 90000000 AND 126000000 THEN 1 ELSE 0 END FROM cdn_targets")).ShouldBe(1);
    }

    [Theory]
    [InlineData(500, "transient/cdn-away")]
    [InlineData(401, "fault/PurgeRefusedException")]
    [InlineData(302, "fault/PurgeRefusedException")]
    public async Task A_refusal_is_a_failure_row_and_no_redirect_is_followed(int status, string failure)
    {
        await using var server = FakeServer.Start(received => received.Path == "/elsewhere" ? new Reply(200) : new Reply(status, "t0ken", ("Location", "/elsewhere")));
        var options = PurgedRegistry.Options(Target(server.Url, "f"));
        await using var harness = await WorkerHarness.StartAsync("purge-cdn", cdn: options);
        await harness.PurgeAsync(options, "3/f/foo");

        await harness.DeliverAsync(new PurgeCdn());

        server.Received.Count.ShouldBe(1);
        (await harness.FailuresAsync()).ShouldBe([failure]);
        (await harness.TextAsync("SELECT f.text || p.last_error FROM failures f, purges p"))!.ShouldNotContain("t0ken");
    }

    [Fact]
    public async Task An_API_that_does_not_answer_in_time_is_away()
    {
        var never = new TaskCompletionSource();
        await using var server = FakeServer.Start(async _ =>
        {
            await never.Task;
            return new Reply(200);
        });
        var options = PurgedRegistry.Options(Target(server.Url, "f") with { TimeoutSeconds = 0.2 });
        await using var harness = await WorkerHarness.StartAsync("purge-cdn", cdn: options);
        await harness.PurgeAsync(options, "3/f/foo");

        await harness.DeliverAsync(new PurgeCdn());
        never.SetResult();

        (await harness.FailuresAsync()).ShouldBe(["transient/cdn-away"]);
        (await harness.TextAsync("SELECT text FROM failures")).ShouldBe("f: the cache f did not answer within 0.2 s");
    }

    private static CdnTarget Target(string url, string name) =>
        new() { Name = name, Kind = CdnKind.Fastly, IndexUrls = ["https://index.example/"], Token = new Secret("t0ken"), Endpoint = url };

    private sealed class FakeFastly
    {
        public List<string> Urls { get; } = [];

        public List<string> Keys { get; } = [];

        public Reply Answer(Received received)
        {
            if (received.Headers.GetValueOrDefault("Fastly-Key") != "t0ken") return new Reply(401);
            if (received.Method != "POST") return new Reply(405);
            lock (Urls)
            {
                if (received.Path.StartsWith("/purge/", StringComparison.Ordinal) && !received.Path.Contains('*'))
                {
                    Urls.Add(received.Path["/purge/".Length..] + (received.Headers.GetValueOrDefault("Fastly-Soft-Purge") == "1" ? " soft" : ""));
                    return new Reply(200, """{"status":"ok","id":"1"}""");
                }

                if (received.Path != "/service/SRV/purge" || received.Headers["Content-Type"] != "application/json") return new Reply(404);
                var keys = JsonDocument.Parse(received.Body).RootElement.GetProperty("surrogate_keys").EnumerateArray().Select(key => key.GetString()!).ToList();
                if (keys.Count > 256 || keys.Any(key => key.Contains(' '))) return new Reply(400);
                Keys.AddRange(keys);
                return new Reply(200, "{}");
            }
        }
    }
}
