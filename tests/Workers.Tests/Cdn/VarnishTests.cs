using System.Text;
using Pipeline.Contracts;
using Pipeline.Contracts.Cdn;
using Pipeline.Contracts.Index;
using Pipeline.Contracts.Upkeep;
using Pipeline.Registry.Cdn;
using Pipeline.Registry.Store;
using Pipeline.Registry.Truth;
using Pipeline.Workers.Tests.Harness;
using static Pipeline.Workers.Tests.Cdn.PurgedRegistry;

namespace Pipeline.Workers.Tests.Cdn;

/// <summary>The worker against a real Varnish, whose origin serves what is in the store as an object store does: cacheable, 404s too.</summary>
public sealed class VarnishTests(EdgeFixture edge) : IClassFixture<EdgeFixture>
{
    private const string Queues = "render-sparse purge-cdn delete-bytes";

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_404_that_was_cached_a_new_line_and_a_removal_are_seen_at_the_edge(bool keys)
    {
        var options = Options(edge.Target(keys));
        await using var harness = await StartAsync(options);
        var crate = await CrateAsync(harness, keys ? "keys" : "urls", "line");
        var path = keys ? "/index/ke/ys/keys" : "/index/ur/ls/urls";
        (await edge.GetAsync(path)).ShouldBe("MISS 404");
        (await edge.GetAsync(path)).ShouldBe("HIT 404");

        await RenderAsync(harness, crate);
        (await edge.GetAsync(path)).ShouldBe("HIT line,false}\n", "the look has filled the edge");

        await BumpAsync(harness, crate, "yank", "UPDATE versions SET yanked = TRUE");
        await RenderAsync(harness, crate);
        (await edge.GetAsync(path)).ShouldBe("HIT line,true}\n");

        await BumpAsync(harness, crate, "delete", "UPDATE crates SET state = 'deleted'");
        await RenderAsync(harness, crate);
        (await edge.GetAsync(path)).ShouldEndWith(" 404");
        (await harness.PurgesAsync()).Where(purge => !purge.Contains("again")).ShouldAllBe(purge => purge.EndsWith(" verified"));
    }

    [Fact]
    public async Task A_soft_purge_serves_the_old_line_once_more_and_a_removal_never()
    {
        var options = Options(edge.Target(verify: false) with { SoftPurge = true });
        await using var harness = await StartAsync(options);
        await harness.Store.PutAsync("index/4s/of/4soft", "old"u8.ToArray());
        (await edge.GetAsync("/index/4s/of/4soft")).ShouldBe("MISS old");

        await harness.Store.PutAsync("index/4s/of/4soft", "new"u8.ToArray());
        await harness.PurgeAsync(options, "4s/of/4soft");
        await harness.DeliverAsync(new PurgeCdn());
        (await edge.GetAsync("/index/4s/of/4soft")).ShouldBe("STALE old");
        await UntilAsync("/index/4s/of/4soft", "HIT new");

        await harness.Store.DeleteAsync("index/4s/of/4soft");
        await harness.PurgeAsync(options, "4s/of/4soft", PurgeCauses.Removed);
        await harness.DeliverAsync(new PurgeCdn());
        (await edge.GetAsync("/index/4s/of/4soft")).ShouldBe("MISS 404");
    }

    [Fact]
    public async Task A_soft_purge_is_verified_by_the_new_line_that_follows_the_old_one()
    {
        var options = Options(edge.Target() with { SoftPurge = true });
        await using var harness = await StartAsync(options);
        await harness.Store.PutAsync("index/so/ft/soft-look", "old"u8.ToArray());
        (await edge.GetAsync("/index/so/ft/soft-look")).ShouldBe("MISS old");
        await harness.Store.PutAsync("index/so/ft/soft-look", "new"u8.ToArray());
        await harness.PurgeAsync(options, "so/ft/soft-look");

        await harness.DeliverAsync(new PurgeCdn());

        (await harness.PurgesAsync()).ShouldBe(["edge index/so/ft/soft-look verified"]);
        (await edge.GetAsync("/index/so/ft/soft-look")).ShouldBe("HIT new");
    }

    [Fact]
    public async Task A_fetch_under_way_escapes_a_key_purge_and_the_second_one_catches_it()
    {
        var options = Options(edge.Target(keys: true, verify: false));
        await using var harness = await StartAsync(options);
        await harness.Store.PutAsync("index/fl/ig/flight", "old"u8.ToArray());
        var (fetched, resume) = HoldOrigin(harness);
        var client = edge.GetAsync("/index/fl/ig/flight");
        await fetched;

        await harness.Store.PutAsync("index/fl/ig/flight", "new"u8.ToArray());
        await harness.PurgeAsync(options, "fl/ig/flight");
        await harness.DeliverAsync(new PurgeCdn());
        resume.SetResult();
        await client;
        (await edge.GetAsync("/index/fl/ig/flight")).ShouldBe("HIT old", "this is the hole");
        (await harness.PurgesAsync()).ShouldBe(["edge index:flight accepted", "edge index:flight again waits"]);

        await harness.WaitedAsync();
        await harness.DeliverAsync(new PurgeCdn());
        (await edge.GetAsync("/index/fl/ig/flight")).ShouldBe("MISS new");
    }

    [Fact]
    public async Task A_URL_purge_waits_for_the_fetch_under_way()
    {
        var options = Options(edge.Target());
        await using var harness = await StartAsync(options);
        await harness.Store.PutAsync("index/wa/it/waits", "old"u8.ToArray());
        var (fetched, resume) = HoldOrigin(harness);
        var client = edge.GetAsync("/index/wa/it/waits");
        await fetched;

        await harness.Store.PutAsync("index/wa/it/waits", "new"u8.ToArray());
        await harness.PurgeAsync(options, "wa/it/waits");
        var purging = harness.BeginDelivery(new PurgeCdn());
        resume.SetResult();
        await client;
        await purging;

        (await harness.PurgesAsync()).ShouldBe(["edge index/wa/it/waits verified"]);
        (await edge.GetAsync("/index/wa/it/waits")).ShouldBe("HIT new");
    }

    [Fact]
    public async Task The_bytes_of_a_deleted_version_are_gone_from_the_edge_in_every_spelling()
    {
        var options = Options(edge.Target(keys: true));
        await using var harness = await StartAsync(options);
        var crate = await CrateAsync(harness, "gone", "line", num: "1.0.0+build");
        await harness.Store.PutAsync("crates/gone/gone-1.0.0+build.crate", "bytes"u8.ToArray());
        await RenderAsync(harness, crate);
        var spellings = new[] { "+", "%2B", "%2b" }.Select(plus => $"/crates/gone/gone-1.0.0{plus}build.crate").ToList();
        foreach (var path in spellings)
        {
            (await edge.GetAsync(path)).ShouldBe("MISS bytes");
            (await edge.GetAsync(path)).ShouldBe("HIT bytes");
        }

        await BumpAsync(harness, crate, "delete", "UPDATE versions SET state = 'deleted'");
        await harness.ExecuteAsync("INSERT INTO deletions (crate_id, version_id, revision, object_key) VALUES ($1, 1, 2, 'crates/gone/gone-1.0.0+build.crate')", crate);
        await harness.DeliverAsync(new RenderSparse(crate));
        await harness.DeliverAsync(new DeleteBytes(crate));
        (await harness.ReadAsync("crates/gone/gone-1.0.0+build.crate")).ShouldBe("bytes", "the index is purged first");
        await harness.DeliverAsync(new PurgeCdn());
        await harness.ExecuteAsync("UPDATE projections SET reached = wanted");
        await harness.DeliverAsync(new DeleteBytes(crate));
        await harness.DeliverAsync(new PurgeCdn());

        foreach (var path in spellings) (await edge.GetAsync(path)).ShouldEndWith(" 404");
        (await harness.ReadAsync("crates/gone/gone-1.0.0+build.crate")).ShouldBeNull();
        (await harness.LongAsync("SELECT COUNT(*) FROM purges WHERE confirmed_at IS NULL AND NOT again")).ShouldBe(0);
    }

    [Fact]
    public async Task A_wrong_token_is_refused_and_the_right_one_drains_what_waits()
    {
        var wrong = Options(edge.Target() with { Token = new Secret("wr0ng") });
        await using var harness = await StartAsync(wrong);
        await harness.Store.PutAsync("index/to/ke/token", "new"u8.ToArray());
        await harness.PurgeAsync(wrong, "to/ke/token");

        await harness.DeliverAsync(new PurgeCdn());

        (await harness.FailuresAsync()).ShouldBe(["fault/PurgeRefusedException"]);
        (await harness.TextAsync("SELECT text FROM failures"))!.ShouldNotContain("wr0ng");
        await harness.WaitedAsync();
        await using var mended = await WorkerHarness.StartAsync("purge-cdn", beside: harness, cdn: Options(edge.Target()));
        await mended.DeliverAsync(new PurgeCdn());
        (await harness.PurgesAsync()).ShouldBe(["edge index/to/ke/token verified"]);
        (await harness.FailuresAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_cache_that_was_away_is_told_when_it_is_back_and_another_target_did_not_wait()
    {
        await using var fastly = FakeServer.Start(_ => new Reply(200));
        var other = new CdnTarget { Name = "fastly", Kind = CdnKind.Fastly, IndexUrls = ["https://index.example/"], Token = new Secret("t"), Endpoint = fastly.Url };
        var options = Options(edge.Target(), other);
        await using var harness = await StartAsync(options);
        await harness.Store.PutAsync("index/ba/ck/back", "new"u8.ToArray());
        await harness.PurgeAsync(options, "ba/ck/back");
        await edge.KillAsync();
        await harness.DeliverAsync(new PurgeCdn());

        (await harness.FailuresAsync()).ShouldBe(["transient/cdn-away"]);
        (await harness.PurgesAsync()).ShouldBe(["edge index/ba/ck/back failed 1", "fastly index/ba/ck/back accepted"]);

        await edge.RestartAsync();
        await harness.WaitedAsync();
        await harness.DeliverAsync(new PurgeCdn());
        (await harness.PurgesAsync()).ShouldBe(["edge index/ba/ck/back verified", "fastly index/ba/ck/back accepted"]);
        (await harness.FailuresAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task Two_workers_share_the_work_of_a_thousand_purges_and_send_none_twice()
    {
        var options = Options(edge.Target(verify: false) with { BatchSize = 50 });
        await using var harness = await StartAsync(options);
        await using var second = await WorkerHarness.StartAsync("purge-cdn", beside: harness, cdn: options);
        for (var i = 0; i < 1000; i++) await harness.PurgeAsync(options, $"ma/ny/many-{i}");

        await Task.WhenAll(harness.DeliverAsync(new PurgeCdn()), second.DeliverAsync(new PurgeCdn()));

        (await harness.LongAsync("SELECT COUNT(*) FROM purges WHERE outcome = 'accepted'")).ShouldBe(1000);
        (await harness.LongAsync("SELECT SUM(attempts) FROM purges")).ShouldBe(0);
    }

    private async Task<WorkerHarness> StartAsync(CdnOptions options)
    {
        var harness = await WorkerHarness.StartAsync(Queues, cdn: options);
        edge.Origin.Answer = received => ServeAsync(harness, received);
        return harness;
    }

    private static async Task<Reply> ServeAsync(WorkerHarness harness, Received received)
    {
        var key = Uri.UnescapeDataString(received.Path[1..]);
        var content = await harness.ReadAsync(key);
        if (content is null) return new Reply(404);
        return new Reply(200, content, ("Cache-Control", "public,max-age=600"), ("Surrogate-Key", string.Join(' ', ObjectHeaders.Of(key).Tags)));
    }

    /// <summary>The origin reads its content at once, and sends it when it is told to.</summary>
    private (Task Fetched, TaskCompletionSource Resume) HoldOrigin(WorkerHarness harness)
    {
        var (fetched, resume) = (new TaskCompletionSource(), new TaskCompletionSource());
        edge.Origin.Answer = async received =>
        {
            edge.Origin.Answer = next => ServeAsync(harness, next);
            var reply = await ServeAsync(harness, received);
            fetched.SetResult();
            await resume.Task;
            return reply;
        };
        return (fetched.Task, resume);
    }

    private async Task UntilAsync(string path, string answer)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (await edge.GetAsync(path) != answer) await Task.Delay(5, limit.Token);
    }

    private static async Task RenderAsync(WorkerHarness harness, long crate)
    {
        await harness.DeliverAsync(new RenderSparse(crate));
        await harness.DeliverAsync(new PurgeCdn());
    }

    private static async Task<long> CrateAsync(WorkerHarness harness, string name, string head, string num = "1.0.0")
    {
        var user = await harness.UserAsync("owner");
        return await harness.Database.WriteAsync(async sql =>
        {
            var crate = (await sql.LongAsync(
                "INSERT INTO crates (canonical, name, revision, last_published_at, created_at, updated_at) VALUES ($1, $1, 1, 0, 0, 0) RETURNING id", name))!.Value;
            await sql.ExecuteAsync(
                """
                INSERT INTO versions (crate_id, num, num_no_build, sort_key, prerelease, checksum, size, object_key, entry_head, entry_tail, dependencies, features,
                    has_lib, bin_names, published_by, publish_id, published_at, updated_at)
                VALUES ($1, $2, $2, $5, FALSE, 'c', 1, $2, $3, '}', '[]', '{}', TRUE, '[]', $4, 'p', 0, 0)
                """,
                crate, num, head + ",", user, Encoding.ASCII.GetBytes("k"));
            await Revisions.RecordAsync(sql, crate, 1, name, "publish", null, null);
            return crate;
        });
    }

    private static async Task BumpAsync(WorkerHarness harness, long crate, string kind, string change) =>
        await harness.Database.WriteAsync(async sql =>
        {
            await sql.ExecuteAsync(change);
            return await Revisions.BumpAsync(sql, crate, kind, null);
        });
}
