using Pipeline.Contracts.Index;
using Pipeline.Registry.Upstreams;
using static Pipeline.Workers.Tests.Upstream.MirrorFixture;

namespace Pipeline.Workers.Tests.Upstream;

/// <summary>Following an upstream by its git index.</summary>
public sealed class SyncUpstreamConsumerTests
{
    private const string Odd = """{"vers":"1.0.0","name":"odd","cksum":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",  "new_field":{"a":[1,2]},"deps":[],"features":{},"yanked":false}""";

    [Fact]
    public async Task What_the_upstream_has_stands_in_both_indexes_byte_for_byte_unknown_fields_order_and_doubled_lines_included()
    {
        await using var mirror = await StartAsync();
        var doubled = Line("twice", "1.0.0") + "\n" + Line("twice", "1.0.0", yanked: true);
        mirror.Commit(("serde", Line("serde", "1.0.0") + Line("serde", "1.0.1", more: ""","rust_version":"1.60","unknown":null""")), ("odd", Odd), ("twice", doubled), ("config.json", """{"dl":"https://static.example/crates"}"""));

        await mirror.SyncAsync();
        await mirror.ProjectAsync();

        (await mirror.LastSyncAsync()).ShouldBe("done 3 0 0 0 0");
        foreach (var (crate, content) in new[] { ("odd", Odd), ("twice", doubled) })
        {
            (await mirror.TruthAsync(crate)).ShouldBe(content);
            (await mirror.SparseAsync(crate)).ShouldBe(content);
            (await mirror.GitAsync(crate)).ShouldBe(content);
        }

        (await mirror.Harness.TextAsync("SELECT upstream_blob FROM crates WHERE name = 'serde'")).ShouldBe(mirror.Remote.Git("rev-parse", "master:se/rd/serde").Trim());
        (await mirror.Harness.TextAsync("SELECT default_version || ' ' || num_versions FROM crates WHERE name = 'serde'")).ShouldBe("1.0.1 2");
        (await mirror.Harness.TextAsync("SELECT config FROM upstreams")).ShouldBe("""{"dl":"https://static.example/crates"}""");
    }

    [Fact]
    public async Task A_batch_is_one_change_and_one_commit()
    {
        await using var mirror = await StartAsync();
        mirror.Commit([.. Enumerable.Range(0, 30).Select(static i => ($"crate-{i}", (string?)Line($"crate-{i}", "1.0.0")))]);

        await mirror.SyncAsync();
        await mirror.ProjectAsync();

        (await mirror.Harness.TextsAsync("SELECT kind FROM changes")).ShouldBe("sync");
        (await mirror.Harness.GitAsync("log", "--format=%s")).ShouldBe("Sync 30 crates from `crates-io`\n");
        (await mirror.Harness.LongAsync("SELECT COUNT(*) FROM projections WHERE reached < wanted")).ShouldBe(0);
    }

    [Fact]
    public async Task A_second_sync_of_the_same_state_changes_nothing()
    {
        await using var mirror = await StartAsync();
        mirror.Commit(("serde", Line("serde", "1.0.0")));
        await mirror.SyncAsync();
        await mirror.ProjectAsync();

        await mirror.SyncAsync();

        (await mirror.Harness.LongAsync("SELECT COUNT(*) FROM upstream_syncs")).ShouldBe(1);
        (await mirror.Harness.LongAsync("SELECT COUNT(*) FROM changes")).ShouldBe(1);
        (await mirror.Harness.LongAsync("SELECT COUNT(*) FROM projections WHERE reached < wanted")).ShouldBe(0);
    }

    [Fact]
    public async Task A_yank_a_new_version_and_a_removal_follow_and_cost_what_changed()
    {
        await using var mirror = await StartAsync();
        mirror.Commit(("serde", Line("serde", "1.0.0")), ("gone", Line("gone", "1.0.0")), ("still", Line("still", "1.0.0")));
        await mirror.SyncAsync();
        await mirror.ProjectAsync();
        var yanked = Line("serde", "1.0.0", yanked: true) + Line("serde", "1.1.0");
        mirror.Commit(("serde", yanked), ("gone", null));

        await mirror.SyncAsync();
        await mirror.ProjectAsync();

        (await mirror.LastSyncAsync()).ShouldBe("done 0 1 1 0 0");
        (await mirror.Harness.LongAsync("SELECT total FROM upstream_syncs ORDER BY id DESC LIMIT 1")).ShouldBe(2);
        (await mirror.SparseAsync("serde")).ShouldBe(yanked);
        (await mirror.GitAsync("serde")).ShouldBe(yanked);
        (await mirror.SparseAsync("gone")).ShouldBeNull();
        (await mirror.Harness.GitAsync("ls-tree", "-r", "--name-only", "master")).ShouldBe("se/rd/serde\nst/il/still\n");
    }

    [Fact]
    public async Task A_crate_that_the_upstream_lost_stays_where_the_policy_is_to_keep_it_and_comes_back_as_the_upstream_has_it()
    {
        await using var mirror = await StartAsync(static upstream => upstream with { Removals = RemovalPolicies.Keep });
        mirror.Commit(("gone", Line("gone", "1.0.0")));
        await mirror.SyncAsync();
        mirror.Commit(("gone", null), ("other", Line("other", "1.0.0")));
        await mirror.SyncAsync();
        await mirror.ProjectAsync();

        (await mirror.SparseAsync("gone")).ShouldBe(Line("gone", "1.0.0"));
        (await mirror.Harness.LongAsync("SELECT COUNT(*) FROM crates WHERE upstream_gone_at IS NOT NULL")).ShouldBe(1);

        mirror.Commit(("gone", Line("gone", "2.0.0")));
        await mirror.SyncAsync();
        await mirror.ProjectAsync();
        (await mirror.SparseAsync("gone")).ShouldBe(Line("gone", "2.0.0"));
        (await mirror.Harness.LongAsync("SELECT COUNT(*) FROM crates WHERE upstream_gone_at IS NOT NULL")).ShouldBe(0);
    }

    [Fact]
    public async Task A_squash_of_the_upstream_is_followed_by_what_differs_between_the_trees()
    {
        await using var mirror = await StartAsync();
        mirror.Commit(("serde", Line("serde", "1.0.0")), ("still", Line("still", "1.0.0")));
        await mirror.SyncAsync();
        mirror.Commit(("serde", Line("serde", "2.0.0")));
        mirror.Squash();

        await mirror.SyncAsync();

        (await mirror.LastSyncAsync()).ShouldBe("done 0 1 0 0 0");
        (await mirror.Harness.LongAsync("SELECT total FROM upstream_syncs ORDER BY id DESC LIMIT 1")).ShouldBe(1);
        (await mirror.TruthAsync("serde")).ShouldBe(Line("serde", "2.0.0"));
    }

    [Fact]
    public async Task When_the_state_last_synced_is_not_to_be_had_the_rows_are_compared_with_the_whole_tree_and_what_is_equal_is_not_read()
    {
        await using var mirror = await StartAsync();
        mirror.Commit(("serde", Line("serde", "1.0.0")), ("still", Line("still", "1.0.0")), ("gone", Line("gone", "1.0.0")));
        await mirror.SyncAsync();
        mirror.Commit(("serde", Line("serde", "2.0.0")), ("gone", null));
        mirror.Squash();
        Directory.Delete(Path.Combine(mirror.Harness.Folder, "upstreams"), recursive: true);

        await mirror.SyncAsync();

        (await mirror.LastSyncAsync()).ShouldBe("done 0 1 1 0 0");
        (await mirror.Harness.TextAsync("SELECT COALESCE(from_commit, 'none') || ' ' || total FROM upstream_syncs ORDER BY id DESC LIMIT 1")).ShouldBe("none 2");
    }

    [Fact]
    public async Task Files_that_cannot_be_read_are_failures_and_the_rest_is_synced_and_a_mended_one_is_taken()
    {
        await using var mirror = await StartAsync();
        var good = Line("half", "1.0.0");
        mirror.Commit(("half", good), ("serde", Line("serde", "1.0.0")));
        await mirror.SyncAsync();
        mirror.Commit(
            ("half", good + Line("half", "1.1.0")[..40]), ("garbage", "<html>\n"), ("empty", ""), ("other-name", Line("someone", "1.0.0")), ("xx/yy/misplaced", Line("misplaced", "1.0.0")),
            ("serde", Line("serde", "1.0.1")));

        await mirror.SyncAsync();

        (await mirror.LastSyncAsync()).ShouldBe("done 0 1 0 0 5");
        (await mirror.TruthAsync("half")).ShouldBe(good);
        (await mirror.TruthAsync("serde")).ShouldBe(Line("serde", "1.0.1"));
        (await mirror.Harness.FailuresAsync()).ShouldBe(["reject/file-unreadable", "reject/file-unreadable", "reject/file-unreadable", "reject/file-unreadable", "reject/odd-path"], ignoreOrder: true);
        (await mirror.Harness.TextAsync("SELECT text FROM failures WHERE key = 'crates-io ha/lf/half'")).ShouldBe("line 2: it is no JSON object, or was cut off");

        mirror.Commit(("half", good + Line("half", "1.1.0")), ("garbage", null), ("empty", null), ("other-name", null), ("xx/yy/misplaced", null));
        await mirror.SyncAsync();
        (await mirror.Harness.FailuresAsync()).ShouldBeEmpty();
        (await mirror.Harness.LongAsync("SELECT COUNT(*) FROM upstream_items")).ShouldBe(0);
        (await mirror.TruthAsync("half")).ShouldBe(good + Line("half", "1.1.0"));
    }

    [Fact]
    public async Task A_config_json_that_is_garbage_and_a_file_that_is_far_too_large_stop_nothing_and_are_failures_until_they_are_mended()
    {
        await using var mirror = await StartAsync();
        mirror.Commit(("config.json", """{"dl":"https://static.example"}"""));
        await mirror.SyncAsync();
        mirror.Commit(("config.json", "<html>log in here</html>"), ("huge", new string(' ', MirroredFile.MaxBytes + 1)), ("serde", Line("serde", "1.0.0")));

        await mirror.SyncAsync();

        (await mirror.TruthAsync("serde")).ShouldNotBeNull();
        (await mirror.Harness.FailuresAsync()).ShouldBe(["reject/config-unreadable", "reject/file-too-large"]);
        (await mirror.Harness.TextAsync("SELECT config FROM upstreams")).ShouldBe("""{"dl":"https://static.example"}""");
        (await mirror.Harness.Database.ReadAsync(sql => UpstreamViews.UntakenAsync(sql, Name, 10))).Select(static one => one.Path).ShouldBe(["config.json", "hu/ge/huge"]);

        mirror.Commit(("config.json", """{"dl":"https://other.example"}"""), ("huge", Line("huge", "1.0.0")));
        await mirror.SyncAsync();
        (await mirror.Harness.FailuresAsync()).ShouldBeEmpty();
        (await mirror.Harness.TextAsync("SELECT config FROM upstreams")).ShouldBe("""{"dl":"https://other.example"}""");
    }

    [Fact]
    public async Task A_bad_file_that_is_no_longer_on_the_allow_list_is_a_failure_no_longer_and_is_not_taken_when_it_is_mended()
    {
        await using var mirror = await StartAsync();
        mirror.Commit(("bad", "garbage"), ("serde", Line("serde", "1.0.0")));
        await mirror.SyncAsync();
        (await mirror.Harness.FailuresAsync()).ShouldBe(["reject/file-unreadable"]);

        await mirror.Harness.Database.WriteAsync(async sql => { await UpstreamStore.AllowAsync(sql, Name, ["serde"]); return 0; });
        await mirror.HurryAsync();
        mirror.Commit(("bad", Line("bad", "1.0.0")));
        await mirror.SyncAsync();

        (await mirror.Harness.FailuresAsync()).ShouldBeEmpty();
        (await mirror.TruthAsync("bad")).ShouldBeNull();
    }

    [Fact]
    public async Task A_bad_file_is_tried_again_when_it_is_due_though_the_upstream_has_not_moved()
    {
        await using var mirror = await StartAsync();
        mirror.Commit(("bad", "garbage"));
        await mirror.SyncAsync();
        await mirror.SyncAsync();
        (await mirror.Harness.LongAsync("SELECT attempts FROM upstream_items")).ShouldBe(1);

        await mirror.HurryAsync();
        await mirror.SyncAsync();

        (await mirror.Harness.LongAsync("SELECT attempts FROM upstream_items")).ShouldBe(2);
        (await mirror.Harness.FailuresAsync()).ShouldBe(["reject/file-unreadable"]);
    }

    [Fact]
    public async Task An_interrupted_sync_goes_on_behind_its_last_batch_and_the_watermark_waits_for_its_end()
    {
        await using var mirror = await StartAsync();
        mirror.Commit([.. Enumerable.Range(0, 2500).Select(static i => ($"crate-{i:0000}", (string?)Line($"crate-{i:0000}", "1.0.0")))]);
        // The lease, the sync's row, its size, and one batch.
        mirror.Harness.Faults.AwayAfter = 4;

        await mirror.SyncAsync();

        (await mirror.LastSyncAsync()).ShouldBe("running 1000 0 0 0 0");
        (await mirror.Harness.LongAsync("SELECT COUNT(*) FROM crates")).ShouldBe(1000);
        (await mirror.Harness.FailuresAsync()).ShouldBe(["transient/database-away"]);

        mirror.Commit(("one-more", Line("one-more", "1.0.0")));
        await mirror.SyncAsync();

        (await mirror.Harness.TextsAsync("SELECT state || ' ' || added FROM upstream_syncs ORDER BY id")).ShouldBe("done 2500, done 1");
        (await mirror.Harness.LongAsync("SELECT COUNT(*) FROM crates")).ShouldBe(2501);
        (await mirror.Harness.FailuresAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_changed_allow_list_fills_in_what_is_new_and_takes_away_what_is_no_longer_followed()
    {
        await using var mirror = await StartAsync(static upstream => upstream with { Removals = RemovalPolicies.Keep });
        mirror.Commit(("one-a", Line("one-a", "1.0.0")), ("two", Line("two", "1.0.0")), ("three", Line("three", "1.0.0")));
        await mirror.Harness.Database.WriteAsync(async sql => { await UpstreamStore.AllowAsync(sql, Name, ["One_A", "two"]); return 0; });
        await mirror.SyncAsync();
        (await mirror.Harness.TextsAsync("SELECT name FROM crates WHERE state = 'active' ORDER BY name")).ShouldBe("one-a, two");

        await mirror.Harness.Database.WriteAsync(async sql => { await UpstreamStore.AllowAsync(sql, Name, ["two", "three"]); return 0; });
        await mirror.SyncAsync();
        await mirror.ProjectAsync();

        (await mirror.Harness.TextsAsync("SELECT name FROM crates WHERE state = 'active' ORDER BY name")).ShouldBe("three, two");
        (await mirror.Harness.GitAsync("ls-tree", "-r", "--name-only", "master")).ShouldBe("3/t/two\nth/re/three\n");
        mirror.Commit(("one-a", Line("one-a", "1.1.0")));
        await mirror.SyncAsync();
        (await mirror.TruthAsync("one-a")).ShouldBeNull();
    }

    [Fact]
    public async Task An_index_that_lost_most_of_its_crates_is_not_followed_until_an_operator_says_so()
    {
        await using var mirror = await StartAsync();
        mirror.Commit([.. Enumerable.Range(0, 150).Select(static i => ($"crate-{i}", (string?)Line($"crate-{i}", "1.0.0"))), ("stays", Line("stays", "1.0.0"))]);
        await mirror.SyncAsync();
        mirror.Commit([.. Enumerable.Range(0, 150).Select(static i => ($"crate-{i}", (string?)null))]);

        await mirror.SyncAsync();

        (await mirror.Harness.FailuresAsync()).ShouldBe(["transient/upstream-lost-crates"]);
        (await mirror.Harness.LongAsync("SELECT COUNT(*) FROM crates WHERE state = 'active'")).ShouldBe(151);

        await mirror.Harness.ExecuteAsync("UPDATE upstreams SET accept_removals = TRUE");
        await mirror.SyncAsync();
        (await mirror.Harness.LongAsync("SELECT COUNT(*) FROM crates WHERE state = 'active'")).ShouldBe(1);
        (await mirror.Harness.FailuresAsync()).ShouldBeEmpty();
        (await mirror.Harness.LongAsync("SELECT COUNT(*) FROM upstreams WHERE accept_removals")).ShouldBe(0);
    }

    [Fact]
    public async Task An_upstream_that_is_away_is_a_transient_failure_with_a_next_try_and_the_mirror_stays_as_it_is()
    {
        await using var mirror = await StartAsync();
        mirror.Commit(("serde", Line("serde", "1.0.0")));
        await mirror.SyncAsync();
        Directory.Move(mirror.Remote.Repository, mirror.Remote.Repository + ".away");

        await mirror.SyncAsync();

        (await mirror.Harness.FailuresAsync()).ShouldBe(["transient/upstream-away"]);
        (await mirror.Harness.LongAsync("SELECT attempts FROM upstreams WHERE next_try_at > now_us()")).ShouldBe(1);
        (await mirror.TruthAsync("serde")).ShouldNotBeNull();

        Directory.Move(mirror.Remote.Repository + ".away", mirror.Remote.Repository);
        await mirror.SyncAsync();
        (await mirror.Harness.FailuresAsync()).ShouldBeEmpty();
        (await mirror.Harness.LongAsync("SELECT attempts FROM upstreams")).ShouldBe(0);
    }

    [Fact]
    public async Task A_fault_of_ours_is_parked_and_visible()
    {
        await using var mirror = await StartAsync();
        mirror.Commit(("serde", Line("serde", "1.0.0")));
        await mirror.Harness.ExecuteAsync("ALTER TABLE upstream_syncs RENAME TO elsewhere");

        await mirror.SyncAsync();

        (await mirror.Harness.FailuresAsync()).ShouldBe([$"fault/{Harness.WorkerHarness.DatabaseError}"]);
    }

    [Fact]
    public async Task Bells_follow_a_batch_for_both_indexes()
    {
        await using var mirror = await StartAsync();
        mirror.Commit(("serde", Line("serde", "1.0.0")));

        await mirror.SyncAsync();

        var id = (await mirror.Harness.LongAsync("SELECT id FROM crates"))!.Value;
        mirror.Harness.Bells.Rung.ShouldBe([new CommitIndex(), new RenderSparse(id)]);
    }

    [Fact]
    public async Task An_upstream_that_is_removed_takes_its_crates_with_it()
    {
        await using var mirror = await StartAsync();
        mirror.Commit(("serde", Line("serde", "1.0.0")), ("other", Line("other", "1.0.0")));
        await mirror.SyncAsync();
        await mirror.ProjectAsync();

        await mirror.Harness.Database.WriteAsync(sql => UpstreamStore.RemoveAsync(sql, Name));
        await mirror.SyncAsync();
        await mirror.ProjectAsync();

        (await mirror.Harness.LongAsync("SELECT COUNT(*) FROM crates WHERE state = 'active'")).ShouldBe(0);
        (await mirror.Harness.GitAsync("ls-tree", "-r", "--name-only", "master")).ShouldBeEmpty();
    }
}
