using Pipeline.Contracts.Index;
using Pipeline.Registry.Options;
using Pipeline.Registry.Upstreams;
using static Pipeline.Workers.Tests.Upstream.MirrorFixture;

namespace Pipeline.Workers.Tests.Upstream;

/// <summary>Following an upstream by its sparse index, for the names of an allow-list.</summary>
public sealed class SparseUpstreamTests
{
    [Fact]
    public async Task What_the_upstream_has_stands_in_both_indexes_byte_for_byte_and_a_second_sync_asks_and_writes_nothing()
    {
        await using var server = await SparseServer.StartAsync();
        await using var mirror = await FollowAsync(server, "serde", "other", "absent");
        var serde = Line("serde", "1.0.0") + "\n" + Line("serde", "1.0.1", more: ""","unknown":{"a":null}""");
        server.Put(("serde", serde), ("other", Line("other", "1.0.0")), ("stranger", Line("stranger", "1.0.0")));

        await mirror.SyncAsync();
        await mirror.ProjectAsync();

        (await mirror.LastSyncAsync()).ShouldBe("done 2 0 0 1 0");
        (await mirror.SparseAsync("serde")).ShouldBe(serde);
        (await mirror.GitAsync("serde")).ShouldBe(serde);
        (await mirror.Harness.GitAsync("log", "--format=%s")).ShouldBe("Sync 2 crates from `crates-io`\n");
        (await mirror.Harness.TextsAsync("SELECT kind FROM changes")).ShouldBe("sync");
        (await mirror.Harness.TextAsync("SELECT config FROM upstreams")).ShouldBe("""{"dl":"https://static.example/crates"}""");
        (await mirror.Harness.LongAsync("SELECT COUNT(*) FROM upstreams WHERE checked_at IS NOT NULL AND next_try_at > now_us()")).ShouldBe(1);
        server.Take().ShouldBe(["HTTP/1.1 200 config.json", "HTTP/1.1 200 ot/he/other", "HTTP/1.1 200 se/rd/serde", "HTTP/1.1 404 ab/se/absent"]);

        await mirror.SyncAsync();

        server.Take().ShouldBe(["HTTP/1.1 200 config.json", "HTTP/1.1 304 ot/he/other", "HTTP/1.1 304 se/rd/serde", "HTTP/1.1 404 ab/se/absent"]);
        (await mirror.Harness.LongAsync("SELECT COUNT(*) FROM upstream_syncs")).ShouldBe(1);
        (await mirror.Harness.LongAsync("SELECT COUNT(*) FROM changes")).ShouldBe(1);
    }

    [Fact]
    public async Task A_yank_a_new_version_and_lost_crates_follow_and_what_did_not_change_is_not_sent()
    {
        await using var server = await SparseServer.StartAsync();
        await using var mirror = await FollowAsync(server, "serde", "gone", "dated", "banned");
        server.Put(("serde", Line("serde", "1.0.0")), ("gone", Line("gone", "1.0.0")), ("banned", Line("banned", "1.0.0")));
        server.PutDated("dated", Line("dated", "1.0.0"), "Wed, 21 Oct 2026 07:28:00 GMT");
        await mirror.SyncAsync();
        server.Take();
        var yanked = Line("serde", "1.0.0", yanked: true) + Line("serde", "1.1.0");
        server.Put(("serde", yanked), ("gone", null));
        server[IndexPath.Of("banned")] = SparseServer.Status(451);

        await mirror.SyncAsync();
        await mirror.ProjectAsync();

        (await mirror.Harness.TextsAsync("SELECT changed || ' ' || removed FROM upstream_syncs ORDER BY id DESC LIMIT 1")).ShouldBe("1 2");
        (await mirror.SparseAsync("serde")).ShouldBe(yanked);
        (await mirror.SparseAsync("gone")).ShouldBeNull();
        (await mirror.Harness.GitAsync("ls-tree", "-r", "--name-only", "master")).ShouldBe("da/te/dated\nse/rd/serde\n");
        server.Take().ShouldContain("HTTP/1.1 304 da/te/dated");
    }

    [Fact]
    public async Task A_lost_crate_that_is_kept_is_noted_once_and_comes_back_though_its_bytes_are_the_old_ones()
    {
        await using var server = await SparseServer.StartAsync();
        await using var mirror = await FollowAsync(server, static upstream => upstream with { Removals = RemovalPolicies.Keep }, null, "serde");
        server.Put(("serde", Line("serde", "1.0.0")));
        await mirror.SyncAsync();
        server.Put(("serde", null));
        await mirror.SyncAsync();
        await mirror.SyncAsync();
        (await mirror.Harness.LongAsync("SELECT COUNT(*) FROM upstream_syncs")).ShouldBe(2);
        (await mirror.Harness.LongAsync("SELECT COUNT(*) FROM crates WHERE upstream_gone_at IS NOT NULL AND state = 'active'")).ShouldBe(1);

        server.Put(("serde", Line("serde", "1.0.0")));
        await mirror.SyncAsync();

        (await mirror.Harness.LongAsync("SELECT COUNT(*) FROM crates WHERE upstream_gone_at IS NOT NULL")).ShouldBe(0);
        (await mirror.TruthAsync("serde")).ShouldBe(Line("serde", "1.0.0"));
    }

    [Fact]
    public async Task Bad_files_of_every_kind_are_failures_and_the_rest_is_synced_and_mended_ones_are_taken_when_they_are_due()
    {
        await using var server = await SparseServer.StartAsync();
        string[] names = ["garbage", "half", "cut", "broken", "slow", "odd", "loop", "huge", "moved", "other-name", "forbidden", "serde"];
        await using var mirror = await FollowAsync(server, null, new UpstreamOptions { SparseSeconds = 5 }, names);
        server.Put(("half", Line("half", "1.0.0")));
        await mirror.SyncAsync();
        server.Put(("serde", Line("serde", "1.0.0")), ("garbage", "<html>\n"), ("half", Line("half", "1.0.0") + Line("half", "1.1.0")[..40]), ("other-name", Line("someone", "1.0.0")));
        Answer("cut", async context =>
        {
            context.Response.ContentLength = 1000;
            await context.Response.Body.WriteAsync("{"u8.ToArray());
            await context.Response.Body.FlushAsync();
            context.Abort();
        });
        Answer("broken", SparseServer.Status(500));
        Answer("forbidden", SparseServer.Status(403));
        Answer("slow", static context => Task.Delay(Timeout.Infinite, context.RequestAborted));
        Answer("odd", SparseServer.Redirect("file:///etc/passwd"));
        Answer("loop", SparseServer.Redirect("/index/lo/op/loop"));
        Answer("huge", static async context =>
        {
            var part = new byte[1 << 20];
            Array.Fill(part, (byte)' ');
            for (var i = 0; i < 33; i++) await context.Response.Body.WriteAsync(part);
        });
        server.Put(("elsewhere", Line("moved", "1.0.0")));
        Answer("moved", SparseServer.Redirect("/index/el/se/elsewhere"));

        await mirror.SyncAsync();

        (await mirror.TruthAsync("serde")).ShouldBe(Line("serde", "1.0.0"));
        (await mirror.TruthAsync("moved")).ShouldBe(Line("moved", "1.0.0"));
        (await mirror.TruthAsync("half")).ShouldBe(Line("half", "1.0.0"));
        (await mirror.Harness.TextsAsync("SELECT key || ' ' || code FROM failures WHERE resolved_at IS NULL ORDER BY key")).ShouldBe(
            "crates-io 3/c/cut file-away, crates-io 3/o/odd file-refused, crates-io br/ok/broken file-away, crates-io fo/rb/forbidden file-refused, "
            + "crates-io ga/rb/garbage file-unreadable, crates-io ha/lf/half file-unreadable, crates-io hu/ge/huge file-too-large, crates-io lo/op/loop file-refused, "
            + "crates-io ot/he/other-name file-unreadable, crates-io sl/ow/slow file-away");
        (await mirror.Harness.FailuresAsync()).Count.ShouldBe(10);
        (await mirror.Harness.TextAsync("SELECT state FROM upstream_syncs ORDER BY id DESC LIMIT 1")).ShouldBe("done");

        // What is not due is not asked for.
        server.Take();
        await mirror.SyncAsync();
        server.Take().ShouldNotContain(static one => one.Contains("slow", StringComparison.Ordinal) || one.Contains("broken", StringComparison.Ordinal));

        server.Put([.. names.Select(static name => (name, (string?)Line(name, "2.0.0")))]);
        await mirror.HurryAsync();
        await mirror.SyncAsync();
        (await mirror.Harness.FailuresAsync()).ShouldBeEmpty();
        (await mirror.Harness.LongAsync("SELECT COUNT(*) FROM crates WHERE default_version = '2.0.0'")).ShouldBe(names.Length);

        void Answer(string name, Microsoft.AspNetCore.Http.RequestDelegate answer) => server[IndexPath.Of(name)] = answer;
    }

    [Fact]
    public async Task An_interrupted_sync_goes_on_and_what_was_committed_is_not_sent_again()
    {
        await using var server = await SparseServer.StartAsync();
        var names = Enumerable.Range(0, 1500).Select(static i => $"crate-{i:0000}").ToArray();
        await using var mirror = await FollowAsync(server, names);
        server.Put([.. names.Select(static name => (name, (string?)Line(name, "1.0.0")))]);
        // The lease, config.json, the sync's row, and one batch.
        mirror.Harness.Faults.AwayAfter = 4;

        await mirror.SyncAsync();
        (await mirror.LastSyncAsync()).ShouldBe("running 1000 0 0 0 0");
        (await mirror.Harness.FailuresAsync()).ShouldBe(["transient/database-away"]);
        (await mirror.Harness.LongAsync("SELECT COUNT(*) FROM upstreams WHERE checked_at IS NOT NULL")).ShouldBe(0);
        server.Take();

        await mirror.SyncAsync();

        (await mirror.Harness.TextsAsync("SELECT state || ' ' || added || ' of ' || total FROM upstream_syncs")).ShouldBe("done 1500 of 2500");
        var asked = server.Take();
        asked.Count(static one => one.StartsWith("HTTP/1.1 304 ", StringComparison.Ordinal)).ShouldBe(1000);
        (await mirror.Harness.LongAsync("SELECT COUNT(*) FROM crates")).ShouldBe(1500);
        (await mirror.Harness.FailuresAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_changed_allow_list_fills_in_what_is_new_and_takes_away_what_is_no_longer_followed_with_its_failures()
    {
        await using var server = await SparseServer.StartAsync();
        await using var mirror = await FollowAsync(server, static upstream => upstream with { Removals = RemovalPolicies.Keep }, null, "One_A", "two", "bad");
        server.Put(("one-a", Line("one-a", "1.0.0")), ("two", Line("two", "1.0.0")), ("three", Line("three", "1.0.0")), ("bad", "garbage"));
        await mirror.SyncAsync();
        (await mirror.Harness.TextsAsync("SELECT name FROM crates WHERE state = 'active' ORDER BY name")).ShouldBe("one-a, two");
        (await mirror.Harness.FailuresAsync()).Count.ShouldBe(1);

        await AllowAsync(mirror, "two", "three");
        await mirror.SyncAsync();
        await mirror.ProjectAsync();

        (await mirror.Harness.GitAsync("ls-tree", "-r", "--name-only", "master")).ShouldBe("3/t/two\nth/re/three\n");
        (await mirror.Harness.FailuresAsync()).ShouldBeEmpty();
        (await mirror.Harness.LongAsync("SELECT COUNT(*) FROM upstream_items")).ShouldBe(0);
    }

    [Fact]
    public async Task An_index_that_lost_most_of_its_crates_is_not_followed_until_an_operator_says_so_but_what_is_new_is()
    {
        await using var server = await SparseServer.StartAsync();
        var names = Enumerable.Range(0, 150).Select(static i => $"crate-{i}").ToArray();
        await using var mirror = await FollowAsync(server, [.. names, "stays"]);
        server.Put([.. names.Select(static name => (name, (string?)Line(name, "1.0.0"))), ("stays", Line("stays", "1.0.0"))]);
        await mirror.SyncAsync();
        server.Put([.. names.Select(static name => (name, (string?)null)), ("stays", Line("stays", "2.0.0"))]);

        await mirror.SyncAsync();
        await mirror.SyncAsync();

        (await mirror.Harness.FailuresAsync()).ShouldBe(["transient/upstream-lost-crates"]);
        (await mirror.Harness.LongAsync("SELECT COUNT(*) FROM crates WHERE state = 'active'")).ShouldBe(151);
        (await mirror.Harness.LongAsync("SELECT attempts FROM upstreams")).ShouldBe(2);
        (await mirror.TruthAsync("stays")).ShouldBe(Line("stays", "2.0.0"));

        await mirror.Harness.ExecuteAsync("UPDATE upstreams SET accept_removals = TRUE");
        await mirror.SyncAsync();
        (await mirror.Harness.LongAsync("SELECT COUNT(*) FROM crates WHERE state = 'active'")).ShouldBe(1);
        (await mirror.Harness.FailuresAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_server_that_goes_away_within_a_sync_ends_it_and_no_file_is_blamed_but_files_that_fail_alone_are()
    {
        await using var server = await SparseServer.StartAsync();
        var names = Enumerable.Range(0, 30).Select(static i => $"crate-{i:00}").ToArray();
        await using var mirror = await FollowAsync(server, names);
        foreach (var name in names) server[IndexPath.Of(name)] = SparseServer.Status(503);
        var looks = 0;
        server["config.json"] = context => looks++ == 0 ? context.Response.Body.WriteAsync("""{"dl":"https://static.example"}"""u8.ToArray()).AsTask() : SparseServer.Status(502)(context);

        await mirror.SyncAsync();
        (await mirror.Harness.FailuresAsync()).ShouldBe(["transient/upstream-away"]);

        server.Config("""{"dl":"https://static.example"}""");
        server.Put(("crate-29", Line("crate-29", "1.0.0")));
        await mirror.SyncAsync();
        (await mirror.Harness.FailuresAsync()).ShouldBe(Enumerable.Repeat("reject/file-away", 29));
        (await mirror.TruthAsync("crate-29")).ShouldNotBeNull();
    }

    [Theory]
    [InlineData(404, "there is no config.json, so there is no index")]
    [InlineData(503, "config.json: the server answered with status 503")]
    public async Task Without_config_json_there_is_no_index_and_the_mirror_stays_as_it_is(int status, string text)
    {
        await using var server = await SparseServer.StartAsync();
        await using var mirror = await FollowAsync(server, "serde");
        server.Put(("serde", Line("serde", "1.0.0")));
        await mirror.SyncAsync();
        server["config.json"] = SparseServer.Status(status);
        server.Put(("serde", null));

        await mirror.SyncAsync();

        (await mirror.Harness.FailuresAsync()).ShouldBe(["transient/upstream-away"]);
        (await mirror.Harness.TextAsync("SELECT last_error FROM upstreams")).ShouldBe(text);
        (await mirror.TruthAsync("serde")).ShouldNotBeNull();
    }

    [Fact]
    public async Task A_config_json_that_is_garbage_is_a_failure_of_its_own_and_the_last_good_one_counts()
    {
        await using var server = await SparseServer.StartAsync();
        await using var mirror = await FollowAsync(server, "serde");
        await mirror.SyncAsync();
        server.Config("<html>log in here</html>");
        server.Put(("serde", Line("serde", "1.0.0")));

        await mirror.SyncAsync();

        (await mirror.Harness.FailuresAsync()).ShouldBe(["reject/config-unreadable"]);
        (await mirror.TruthAsync("serde")).ShouldNotBeNull();
        (await mirror.Harness.TextAsync("SELECT config FROM upstreams")).ShouldBe("""{"dl":"https://static.example/crates"}""");

        server.Config("""{"dl":"https://other.example"}""");
        await mirror.SyncAsync();
        (await mirror.Harness.FailuresAsync()).ShouldBeEmpty();
        (await mirror.Harness.TextAsync("SELECT config FROM upstreams")).ShouldBe("""{"dl":"https://other.example"}""");
    }

    [Fact]
    public async Task A_mirror_that_goes_over_to_the_git_index_within_a_sync_loses_nothing()
    {
        await using var server = await SparseServer.StartAsync();
        await using var mirror = await FollowAsync(server, "serde");
        server.Put(("serde", Line("serde", "1.0.0")));
        await mirror.SyncAsync();
        await mirror.Harness.ExecuteAsync("UPDATE upstream_syncs SET state = 'running'");
        mirror.Commit(("serde", Line("serde", "1.0.0")));
        await mirror.Harness.Database.WriteAsync(async sql => await UpstreamStore.ChangeAsync(sql, (await UpstreamStore.FindAsync(sql, Name))! with { IndexUrl = mirror.Remote.Repository }));
        (await mirror.Harness.LongAsync("SELECT COUNT(*) FROM upstream_allowed WHERE etag IS NOT NULL")).ShouldBe(0);

        await mirror.SyncAsync();

        (await mirror.TruthAsync("serde")).ShouldNotBeNull();
        (await mirror.Harness.TextsAsync("SELECT state || ' ' || removed FROM upstream_syncs ORDER BY id")).ShouldBe("given-up 0, done 0");
    }

    [Fact]
    public async Task A_sparse_upstream_that_is_removed_takes_its_crates_with_it_and_is_not_asked()
    {
        await using var server = await SparseServer.StartAsync();
        await using var mirror = await FollowAsync(server, "serde", "bad");
        server.Put(("serde", Line("serde", "1.0.0")), ("bad", "garbage"));
        await mirror.SyncAsync();
        (await mirror.Harness.FailuresAsync()).Count.ShouldBe(1);
        server.Take();

        await mirror.Harness.Database.WriteAsync(sql => UpstreamStore.RemoveAsync(sql, Name));
        await mirror.SyncAsync();

        (await mirror.Harness.LongAsync("SELECT COUNT(*) FROM crates WHERE state = 'active'")).ShouldBe(0);
        (await mirror.Harness.FailuresAsync()).ShouldBeEmpty();
        server.Take().ShouldBeEmpty();
    }

    private static Task<MirrorFixture> FollowAsync(SparseServer server, params string[] allowed) => FollowAsync(server, null, null, allowed);

    private static async Task<MirrorFixture> FollowAsync(
        SparseServer server, Func<Registry.Upstreams.Upstream, Registry.Upstreams.Upstream>? with, UpstreamOptions? options, params string[] allowed)
    {
        var mirror = await StartAsync(
            upstream => (with ?? (static one => one))(upstream with { IndexUrl = Registry.Upstreams.Upstream.SparsePrefix + server.Root.AbsoluteUri, AllowOnly = true }), upstreams: options);
        await AllowAsync(mirror, allowed);
        return mirror;
    }

    private static async Task AllowAsync(MirrorFixture mirror, params string[] names) => await mirror.Harness.Database.WriteAsync(async sql =>
    {
        await UpstreamStore.AllowAsync(sql, Name, names);
        return 0;
    });
}
