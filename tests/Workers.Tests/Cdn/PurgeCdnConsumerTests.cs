using Pipeline.Contracts.Cdn;
using Pipeline.Registry.Cdn;
using Pipeline.Workers.Cdn;
using Pipeline.Workers.Tests.Harness;
using static Pipeline.Workers.Tests.Cdn.PurgedRegistry;

namespace Pipeline.Workers.Tests.Cdn;

public sealed class PurgeCdnConsumerTests
{
    private const string Queue = "purge-cdn";

    [Fact]
    public async Task What_is_due_is_sent_oldest_first_and_confirmed()
    {
        await using var cache = FakeServer.Start(_ => new Reply(200));
        var options = Options(Plain(cache.Url) with { Parallel = 1 });
        await using var harness = await WorkerHarness.StartAsync(Queue, cdn: options);
        await harness.PurgeAsync(options, "3/f/foo");
        await harness.PurgeAsync(options, "3/b/bar");
        await harness.ExecuteAsync("UPDATE purges SET due_at = due_at - 1000000 WHERE value = 'index/3/b/bar'");

        await harness.DeliverAsync(new PurgeCdn());

        cache.Received.Select(received => received.ToString()).ShouldBe(["PURGE /index/3/b/bar", "PURGE /index/3/f/foo"]);
        cache.Received[0].Headers["X-Purge-Token"].ShouldBe("t0ken");
        (await harness.PurgesAsync()).ShouldBe(["edge index/3/f/foo accepted", "edge index/3/b/bar accepted"]);
    }

    [Fact]
    public async Task Delivering_it_again_sends_nothing()
    {
        await using var cache = FakeServer.Start(_ => new Reply(200));
        var options = Options(Plain(cache.Url));
        await using var harness = await WorkerHarness.StartAsync(Queue, cdn: options);
        await harness.PurgeAsync(options, "3/f/foo");
        await harness.DeliverAsync(new PurgeCdn());

        await harness.DeliverAsync(new PurgeCdn());

        cache.Received.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_cache_that_is_away_shows_as_lag_is_left_alone_for_a_while_and_is_told_everything_later()
    {
        await using var cache = FakeServer.Start(_ => Reply.Cut);
        var options = Options(Plain(cache.Url) with { Parallel = 1 });
        await using var harness = await WorkerHarness.StartAsync(Queue, cdn: options);
        await harness.PurgeAsync(options, "3/f/foo");
        await harness.PurgeAsync(options, "3/b/bar");

        await harness.DeliverAsync(new PurgeCdn());
        await harness.DeliverAsync(new PurgeCdn());

        (await harness.FailuresAsync()).ShouldBe(["transient/cdn-away"]);
        (await harness.PurgesAsync()).ShouldBe(["edge index/3/f/foo failed 1", "edge index/3/b/bar waits"]);
        (await harness.LongAsync("SELECT CASE WHEN last_error LIKE '%edge%' AND due_at > now_us() THEN 1 ELSE 0 END FROM purges WHERE attempts > 0")).ShouldBe(1);

        cache.Answer = _ => Task.FromResult(new Reply(200));
        await harness.WaitedAsync();
        await harness.DeliverAsync(new PurgeCdn());

        // While the target was left alone nobody came.
        cache.Received.Count.ShouldBe(3);
        (await harness.PurgesAsync()).ShouldBe(["edge index/3/f/foo accepted", "edge index/3/b/bar accepted"]);
        (await harness.FailuresAsync()).ShouldBeEmpty();
        (await harness.LongAsync("SELECT COUNT(*) FROM cdn_targets")).ShouldBe(0);
    }

    [Fact]
    public async Task Refused_credentials_are_a_fault_that_anybody_can_see_without_the_credentials_and_heal_by_themselves()
    {
        await using var cache = FakeServer.Start(received => new Reply(403, $"your token {received.Headers["X-Purge-Token"]} is wrong"));
        var options = Options(Plain(cache.Url));
        await using var harness = await WorkerHarness.StartAsync(Queue, cdn: options);
        await harness.PurgeAsync(options, "3/f/foo");

        await harness.DeliverAsync(new PurgeCdn());

        (await harness.FailuresAsync()).ShouldBe(["fault/PurgeRefusedException"]);
        (await harness.TextAsync("SELECT key || ': ' || text FROM failures")).ShouldBe("edge: edge: the cache refuses our credentials (403)");
        (await harness.TextAsync("SELECT last_error FROM purges")).ShouldBe("the cache refuses our credentials (403)");
        (await harness.LongAsync("SELECT CASE WHEN next_try_at - now_us() BETWEEN 15000000 AND 40000000 THEN 1 ELSE 0 END FROM cdn_targets")).ShouldBe(1);

        cache.Answer = _ => Task.FromResult(new Reply(200));
        await harness.WaitedAsync();
        await harness.DeliverAsync(new PurgeCdn());
        (await harness.PurgesAsync()).ShouldBe(["edge index/3/f/foo accepted"]);
        (await harness.FailuresAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_broken_database_is_a_fault_of_the_worker_and_the_row_stays()
    {
        await using var cache = FakeServer.Start(_ => new Reply(200));
        var options = Options(Plain(cache.Url));
        await using var harness = await WorkerHarness.StartAsync(Queue, cdn: options);
        await harness.PurgeAsync(options, "3/f/foo");
        await harness.ExecuteAsync("DROP TABLE cdn_targets");

        await harness.DeliverAsync(new PurgeCdn());

        (await harness.FailuresAsync()).ShouldBe(["fault/" + WorkerHarness.DatabaseError]);
        (await harness.PurgesAsync()).ShouldBe(["edge index/3/f/foo waits"]);
    }

    [Fact]
    public async Task A_database_that_is_away_when_a_batch_is_done_is_waited_for()
    {
        WorkerHarness? running = null;
        // Two writes fail: that of the batch, and the first try to write it again.
        await using var cache = FakeServer.Start(_ =>
        {
            running!.Faults.WritesAway = 2;
            return new Reply(200);
        });
        var options = Options(Plain(cache.Url));
        await using var harness = running = await WorkerHarness.StartAsync(Queue, cdn: options);
        await harness.PurgeAsync(options, "3/f/foo");

        await harness.DeliverAsync(new PurgeCdn());

        (await harness.PurgesAsync()).ShouldBe(["edge index/3/f/foo accepted"]);
        cache.Received.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_batch_that_broke_off_is_given_back()
    {
        await using var cache = FakeServer.Start(_ => new Reply(200));
        var options = Options(Plain(cache.Url) with { Verify = true });
        await using var harness = await WorkerHarness.StartAsync(Queue, cdn: options);
        await harness.PurgeAsync(options, "3/f/foo");
        harness.Store.ReadFailure = new InvalidOperationException("a bug");

        await harness.DeliverAsync(new PurgeCdn());

        (await harness.FailuresAsync()).ShouldBe(["fault/InvalidOperationException"]);
        (await harness.PurgesAsync()).ShouldBe(["edge index/3/f/foo waits"]);
    }

    [Fact]
    public async Task A_target_that_hangs_holds_up_no_other()
    {
        var hanging = new TaskCompletionSource();
        var asked = new TaskCompletionSource();
        await using var slow = FakeServer.Start(async _ =>
        {
            asked.TrySetResult();
            await hanging.Task;
            return new Reply(200);
        });
        await using var quick = FakeServer.Start(_ => new Reply(200));
        var options = Options(Plain(slow.Url, "slow") with { TimeoutSeconds = 30 }, Plain(quick.Url, "quick"));
        await using var harness = await WorkerHarness.StartAsync(Queue, cdn: options);
        await harness.PurgeAsync(options, "3/f/foo");
        var first = harness.BeginDelivery(new PurgeCdn());
        await asked.Task;

        await harness.PurgeAsync(options, "3/b/bar");
        await harness.DeliverAsync(new PurgeCdn());

        await harness.UntilAsync("quick index/3/b/bar accepted");
        (await harness.PurgesAsync()).ShouldBe(["slow index/3/f/foo taken", "quick index/3/f/foo accepted", "slow index/3/b/bar waits", "quick index/3/b/bar accepted"]);
        hanging.SetResult();
        await first;
        // The second bell found the slow one at work and left word: it looked once more by itself.
        (await harness.PurgesAsync()).ShouldAllBe(purge => purge.EndsWith("accepted"));
    }

    [Fact]
    public async Task What_changes_while_its_purge_is_on_its_way_is_purged_again()
    {
        var hanging = new TaskCompletionSource();
        var asked = new TaskCompletionSource();
        await using var cache = FakeServer.Start(async _ =>
        {
            asked.TrySetResult();
            await hanging.Task;
            return new Reply(200);
        });
        var options = Options(Plain(cache.Url));
        await using var harness = await WorkerHarness.StartAsync(Queue, cdn: options);
        await harness.PurgeAsync(options, "3/f/foo");
        var first = harness.BeginDelivery(new PurgeCdn());
        await asked.Task;

        await harness.PurgeAsync(options, "3/f/foo");
        hanging.SetResult();
        await first;
        await harness.DeliverAsync(new PurgeCdn());

        cache.Received.Count.ShouldBe(2);
        (await harness.PurgesAsync()).ShouldBe(["edge index/3/f/foo accepted", "edge index/3/f/foo accepted"]);
    }

    [Theory]
    [InlineData("a process that lives", "now_us()", "edge index/3/f/foo taken")]
    [InlineData("a process that lives", "now_us() - 301000000", "edge index/3/f/foo accepted")]
    [InlineData("a process that died", "now_us()", "edge index/3/f/foo accepted")]
    public async Task What_a_process_took_and_never_confirmed_is_sent_by_another(string process, string takenAt, string state)
    {
        await using var cache = FakeServer.Start(_ => new Reply(200));
        var options = Options(Plain(cache.Url));
        await using var harness = await WorkerHarness.StartAsync(Queue, cdn: options);
        await harness.PurgeAsync(options, "3/f/foo");
        await harness.ExecuteAsync("INSERT INTO processes (id, roles, started_at, seen_at) VALUES ('a process that lives', '', now_us(), now_us())");
        await harness.ExecuteAsync($"UPDATE purges SET taken_by = $1, taken_at = {takenAt}", process);

        await harness.DeliverAsync(new PurgeCdn());

        (await harness.PurgesAsync()).ShouldBe([state]);
    }

    [Fact]
    public async Task A_key_is_purged_again_after_the_origins_time_out_and_a_burst_only_once()
    {
        await using var cache = FakeServer.Start(_ => new Reply(200));
        var options = Options(Plain(cache.Url) with { SurrogateKeys = true, OriginTimeoutSeconds = 7, FileUrls = [] });
        await using var harness = await WorkerHarness.StartAsync(Queue, cdn: options);
        await harness.PurgeAsync(options, "3/f/foo");
        await harness.DeliverAsync(new PurgeCdn());
        await harness.PurgeAsync(options, "3/f/foo");
        await harness.DeliverAsync(new PurgeCdn());

        (await harness.PurgesAsync()).ShouldBe(["edge index:foo accepted", "edge index:foo again waits", "edge index:foo accepted"]);
        (await harness.LongAsync("SELECT CASE WHEN due_at - now_us() BETWEEN 1000000 AND 7000000 THEN 1 ELSE 0 END FROM purges WHERE again")).ShouldBe(1);

        await harness.WaitedAsync();
        await harness.DeliverAsync(new PurgeCdn());

        cache.Received.Select(received => received.Headers["Surrogate-Key"]).ShouldBe(["index:foo", "index:foo", "index:foo"]);
        (await harness.PurgesAsync()).ShouldAllBe(purge => purge.EndsWith("accepted"));
        (await harness.LongAsync("SELECT COUNT(*) FROM purges")).ShouldBe(3);
    }

    [Fact]
    public async Task One_purge_that_the_cache_refuses_does_not_hold_up_its_batch()
    {
        await using var cache = FakeServer.Start(received => new Reply(received.Headers["Surrogate-Key"].Split(' ').Contains("index:bad") ? 400 : 200));
        var options = Options(Plain(cache.Url) with { SurrogateKeys = true, OriginTimeoutSeconds = 0, FileUrls = [] });
        await using var harness = await WorkerHarness.StartAsync(Queue, cdn: options);
        foreach (var path in new[] { "1/a", "1/b", "3/b/bad", "1/c", "1/d" }) await harness.PurgeAsync(options, path);

        await harness.DeliverAsync(new PurgeCdn());

        (await harness.FailuresAsync()).ShouldBe(["fault/PurgeRefusedException"]);
        (await harness.LongAsync("SELECT COUNT(*) FROM purges WHERE NOT again AND outcome = 'accepted'")).ShouldBe(4);
        (await harness.PurgesAsync()).ShouldContain("edge index:bad failed 1");
        (await harness.LongAsync("SELECT COUNT(*) FROM cdn_targets")).ShouldBe(0);
    }

    [Fact]
    public async Task A_look_through_the_cache_tells_verified_from_stale()
    {
        var served = "old";
        await using var cache = FakeServer.Start(received => received.Method == "PURGE" ? new Reply(200) : new Reply(200, served));
        var options = Options(Plain(cache.Url) with { Verify = true });
        await using var harness = await WorkerHarness.StartAsync(Queue, cdn: options);
        await harness.Store.PutAsync("index/3/f/foo", "new"u8.ToArray());
        await harness.PurgeAsync(options, "3/f/foo");

        await harness.DeliverAsync(new PurgeCdn());
        (await harness.FailuresAsync()).ShouldBe(["transient/cdn-stale"]);
        (await harness.PurgesAsync()).ShouldBe(["edge index/3/f/foo failed 1"]);

        served = "new";
        await harness.WaitedAsync();
        await harness.DeliverAsync(new PurgeCdn());
        (await harness.PurgesAsync()).ShouldBe(["edge index/3/f/foo verified"]);
        (await harness.FailuresAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_cache_that_lets_nobody_look_has_accepted_no_more()
    {
        await using var cache = FakeServer.Start(received => new Reply(received.Method == "PURGE" ? 200 : 401));
        var options = Options(Plain(cache.Url) with { Verify = true });
        await using var harness = await WorkerHarness.StartAsync(Queue, cdn: options);
        await harness.Store.PutAsync("index/3/f/foo", "new"u8.ToArray());
        await harness.PurgeAsync(options, "3/f/foo");

        await harness.DeliverAsync(new PurgeCdn());

        (await harness.PurgesAsync()).ShouldBe(["edge index/3/f/foo accepted"]);
    }

    [Fact]
    public async Task A_store_that_is_away_lets_nobody_look_either()
    {
        await using var cache = FakeServer.Start(_ => new Reply(200));
        var options = Options(Plain(cache.Url) with { Verify = true });
        await using var harness = await WorkerHarness.StartAsync(Queue, cdn: options);
        await harness.PurgeAsync(options, "3/f/foo");
        harness.Store.ReadFailure = FaultyStore.Away;

        await harness.DeliverAsync(new PurgeCdn());

        (await harness.PurgesAsync()).ShouldBe(["edge index/3/f/foo accepted"]);
        (await harness.FailuresAsync()).ShouldBeEmpty();
    }

    [Theory]
    [InlineData(200, "there", true, Seen.New)]
    [InlineData(200, "there", false, Seen.Old)]
    [InlineData(200, "none", true, Seen.Old)]
    [InlineData(200, "going", true, Seen.Nothing)]
    [InlineData(404, "none", true, Seen.New)]
    [InlineData(403, "none", true, Seen.New)]
    [InlineData(404, "going", true, Seen.New)]
    [InlineData(404, "there", true, Seen.Old)]
    [InlineData(401, "there", true, Seen.Nothing)]
    [InlineData(503, "there", true, Seen.Nothing)]
    public void A_look_means(int status, string origin, bool same, Seen seen) =>
        CacheLooks.Judge(new CacheLook(status, status == 200 ? [1, (byte)(same ? 1 : 2)] : null), new OriginContent(origin == "none" ? null : [1, 1], 2, origin == "going")).ShouldBe(seen);

    [Fact]
    public async Task Purges_confirmed_long_ago_are_forgotten()
    {
        await using var cache = FakeServer.Start(_ => new Reply(200));
        var options = Options(Plain(cache.Url)) with { KeepDays = 1 };
        await using var harness = await WorkerHarness.StartAsync(Queue, cdn: options);
        await harness.PurgeAsync(options, "3/f/foo");
        await harness.ExecuteAsync("UPDATE purges SET confirmed_at = now_us() - 86401000000");
        await harness.PurgeAsync(options, "3/b/bar");

        await harness.DeliverAsync(new PurgeCdn());

        (await harness.PurgesAsync()).ShouldBe(["edge index/3/b/bar accepted"]);
    }
}
