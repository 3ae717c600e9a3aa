using Pipeline.Contracts.Index;
using Pipeline.Contracts.Notices;
using Pipeline.Contracts.Publishing;
using Pipeline.Contracts.Search;
using Pipeline.Workers.Tests.Harness;

namespace Pipeline.Workers.Tests.Manifests;

public sealed class ReadManifestConsumerTests
{
    private const string Queue = "read-manifest";

    [Fact]
    public async Task A_good_publish_leaves_bytes_record_version_owner_and_change_and_rings_every_projection()
    {
        await using var harness = await WorkerHarness.StartAsync(Queue);
        var id = await harness.CheckedAsync("Foo-bar", "1.0.0+b");

        await harness.DeliverAsync(new ReadManifest(id));

        (await harness.TextAsync("SELECT state FROM publishes")).ShouldBe("accepted");
        (await harness.ObjectsAsync()).ShouldBe(["crates/Foo-bar/Foo-bar-1.0.0+b.crate", $"records/Foo-bar/1.0.0+b.{id}.json"]);
        (await harness.TextAsync("SELECT canonical || ' ' || revision || ' ' || default_version || ' ' || num_versions FROM crates")).ShouldBe("foo_bar 1 1.0.0+b 1");
        (await harness.LongAsync("SELECT count(*) FROM owners")).ShouldBe(1);
        (await harness.TextAsync("SELECT kind || ' ' || num FROM changes")).ShouldBe("publish 1.0.0+b");
        (await harness.LongAsync("SELECT count(*) FROM projections WHERE wanted = 1 AND reached = 0")).ShouldBe(2);
        (await harness.LongAsync("SELECT count(*) FROM reservations")).ShouldBe(0);
        harness.Bells.Rung.ShouldBe([new PublishDecided(id), new RenderSparse(1), new CommitIndex(), new UpdateSearch(), new SendNotices()]);
    }

    [Fact]
    public async Task Delivering_it_again_changes_nothing()
    {
        await using var harness = await WorkerHarness.StartAsync(Queue);
        var id = await harness.CheckedAsync("foo", "1.0.0");
        await harness.DeliverAsync(new ReadManifest(id));
        var before = (await harness.ObjectsAsync(), await harness.TextsAsync("SELECT revision || ' ' || updated_at FROM crates"));
        harness.Bells.Clear();

        await harness.DeliverAsync(new ReadManifest(id));

        (await harness.ObjectsAsync()).ShouldBe(before.Item1);
        (await harness.TextsAsync("SELECT revision || ' ' || updated_at FROM crates")).ShouldBe(before.Item2);
        (await harness.LongAsync("SELECT count(*) FROM changes")).ShouldBe(1);
        harness.Bells.Rung.ShouldBeEmpty();
    }

    [Fact]
    public async Task Delivering_it_sixteen_times_at_once_makes_one_version()
    {
        await using var harness = await WorkerHarness.StartAsync(Queue);
        var id = await harness.CheckedAsync("foo", "1.0.0");

        await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => harness.BeginDelivery(new ReadManifest(id))));

        (await harness.LongAsync("SELECT count(*) FROM versions")).ShouldBe(1);
        (await harness.LongAsync("SELECT count(*) FROM changes")).ShouldBe(1);
        (await harness.TextAsync("SELECT state FROM publishes")).ShouldBe("accepted");
    }

    [Fact]
    public async Task A_token_for_new_crates_makes_one_version_of_a_crate_however_many_come_at_once()
    {
        await using var harness = await WorkerHarness.StartAsync(Queue);
        var ids = new List<string>();
        for (var i = 0; i < 8; i++) ids.Add(await harness.CheckedAsync("foo", $"1.0.{i}"));
        await WithTokenAsync(harness, """["publish-new"]""", null);

        await Task.WhenAll(ids.Select(id => harness.BeginDelivery(new ReadManifest(id))));

        (await harness.LongAsync("SELECT count(*) FROM versions")).ShouldBe(1);
        (await harness.TextsAsync("SELECT DISTINCT verdict_status || ' ' || verdict_text FROM publishes WHERE state = 'rejected'"))
            .ShouldBe("403 this token does not have the required permissions to perform this action");
        (await harness.LongAsync("SELECT count(*) FROM publishes WHERE state = 'rejected'")).ShouldBe(7);
        (await harness.LongAsync("SELECT count(*) FROM reservations")).ShouldBe(0);
    }

    [Theory]
    [InlineData("[\"publish-update\"]", null, false)]
    [InlineData("[\"yank\"]", null, false)]
    [InlineData("[\"publish-new\"]", "[\"bar\"]", false)]
    [InlineData("[\"publish-new\"]", "[\"fo*\"]", true)]
    [InlineData("[\"publish-update\",\"publish-new\"]", null, true)]
    [InlineData(null, null, true)]
    public async Task A_crate_is_made_only_with_a_token_that_may_make_it(string? endpoints, string? crates, bool accepted)
    {
        await using var harness = await WorkerHarness.StartAsync(Queue);
        var id = await harness.CheckedAsync("foo", "1.0.0");
        await WithTokenAsync(harness, endpoints, crates);

        await harness.DeliverAsync(new ReadManifest(id));

        (await harness.TextAsync("SELECT state FROM publishes")).ShouldBe(accepted ? "accepted" : "rejected");
    }

    [Fact]
    public async Task The_same_bytes_again_keep_no_second_copy_of_their_metadata()
    {
        const string claims = """{"dependencies":[],"readme":"long","allowMissingDependencies":false}""";
        await using var harness = await WorkerHarness.StartAsync(Queue);
        var first = await harness.CheckedAsync("foo", "1.0.0", claims: claims);
        await harness.DeliverAsync(new ReadManifest(first));

        var second = await harness.CheckedAsync("foo", "1.0.0", claims: claims);
        await harness.DeliverAsync(new ReadManifest(second));

        (await harness.TextsAsync("SELECT state || ' ' || claims FROM publishes")).ShouldBe("accepted {}, accepted {}");
        (await harness.TextAsync("SELECT readme FROM versions")).ShouldBe("long");
    }

    private static async Task WithTokenAsync(WorkerHarness harness, string? endpoints, string? crates)
    {
        await harness.ExecuteAsync("INSERT INTO tokens (user_id, name, hash, endpoint_scopes, crate_scopes, created_at) SELECT MIN(id), 't', $1, $2, $3, 1 FROM users", new byte[] { 1 }, endpoints, crates);
        await harness.ExecuteAsync("UPDATE publishes SET token_id = (SELECT MAX(id) FROM tokens)");
    }

    [Fact]
    public async Task A_manifest_that_breaks_a_rule_is_rejected_with_its_text_and_leaves_nothing_but_the_record_of_the_publish()
    {
        await using var harness = await WorkerHarness.StartAsync(Queue);
        var id = await harness.CheckedAsync("foo", "1.0.0", "[package]\nname = \"foo\"\nversion = \"1.0.0\"\nlicense = \"MIT\"\n");

        await harness.DeliverAsync(new ReadManifest(id));

        (await harness.TextAsync("SELECT state || ' ' || verdict_status || ' ' || verdict_code FROM publishes")).ShouldBe("rejected 400 invalid-metadata");
        (await harness.TextAsync("SELECT verdict_text FROM publishes"))!.ShouldStartWith("missing or empty metadata fields: description");
        (await harness.ObjectsAsync()).ShouldBeEmpty();
        (await harness.LongAsync("SELECT count(*) FROM crates")).ShouldBe(0);
        harness.Bells.Rung.ShouldBe([new PublishDecided(id)]);
    }

    [Fact]
    public async Task A_store_that_is_away_puts_the_publish_off_and_the_next_try_succeeds()
    {
        await using var harness = await WorkerHarness.StartAsync(Queue);
        var id = await harness.CheckedAsync("foo", "1.0.0");
        harness.Store.Failure = FaultyStore.Away;

        await harness.DeliverAsync(new ReadManifest(id));

        (await harness.FailuresAsync()).ShouldBe(["transient/store-away"]);
        (await harness.TextAsync("SELECT state || ' ' || attempts || ' ' || last_error FROM publishes")).ShouldBe("checked 1 the object store does not answer");
        harness.Store.Failure = null;
        await harness.DeliverAsync(new ReadManifest(id));
        (await harness.TextAsync("SELECT state FROM publishes")).ShouldBe("accepted");
        (await harness.FailuresAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_store_that_goes_away_behind_the_verdict_leaves_the_staged_bytes_to_the_clean_up_and_no_failure_that_nobody_resolves()
    {
        await using var harness = await WorkerHarness.StartAsync(Queue);
        var id = await harness.CheckedAsync("foo", "1.0.0");
        harness.Store.DeleteFailure = FaultyStore.Away;

        await harness.DeliverAsync(new ReadManifest(id));

        (await harness.TextAsync("SELECT state FROM publishes")).ShouldBe("accepted");
        (await harness.FailuresAsync()).ShouldBeEmpty();
        (await harness.ObjectsAsync()).ShouldContain(key => key.StartsWith("staging/", StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_unknown_failure_parks_the_publish_as_a_fault()
    {
        await using var harness = await WorkerHarness.StartAsync(Queue);
        var id = await harness.CheckedAsync("foo", "1.0.0");
        harness.Store.Failure = new NotSupportedException("a bug");

        await harness.DeliverAsync(new ReadManifest(id));

        (await harness.FailuresAsync()).ShouldBe(["fault/NotSupportedException"]);
        (await harness.TextAsync("SELECT state FROM publishes")).ShouldBe("checked");
    }

    [Fact]
    public async Task Of_two_publishes_of_one_version_exactly_one_wins_and_the_other_is_told()
    {
        await using var harness = await WorkerHarness.StartAsync(Queue);
        var ids = new List<string>();
        for (var i = 0; i < 8; i++) ids.Add(await harness.CheckedAsync("foo", "1.0.0", WorkerHarness.Manifest("foo", "1.0.0", $"# {i}\n")));

        await Task.WhenAll(ids.Select(id => harness.BeginDelivery(new ReadManifest(id))));
        // Whoever found the reservation taken was rung when its holder ended.
        foreach (var waiting in harness.Bells.Rung.OfType<ReadManifest>().ToList()) await harness.DeliverAsync(waiting);

        (await harness.LongAsync("SELECT count(*) FROM publishes WHERE state = 'accepted'")).ShouldBe(1);
        (await harness.LongAsync("SELECT count(*) FROM publishes WHERE state = 'rejected' AND verdict_text = 'crate version `1.0.0` is already uploaded'")).ShouldBe(7);
        var winner = await harness.TextAsync("SELECT checksum FROM publishes WHERE state = 'accepted'");
        (await harness.TextAsync("SELECT checksum FROM versions")).ShouldBe(winner);
    }

    [Fact]
    public async Task The_same_bytes_again_by_an_owner_are_a_success_that_changes_nothing()
    {
        await using var harness = await WorkerHarness.StartAsync(Queue);
        await harness.DeliverAsync(new ReadManifest(await harness.CheckedAsync("foo", "1.0.0")));
        var again = await harness.CheckedAsync("foo", "1.0.0");

        await harness.DeliverAsync(new ReadManifest(again));

        (await harness.TextAsync("SELECT state FROM publishes WHERE id = $1", again)).ShouldBe("accepted");
        (await harness.LongAsync("SELECT revision FROM crates")).ShouldBe(1);
        (await harness.LongAsync("SELECT count(*) FROM changes")).ShouldBe(1);
    }

    [Fact]
    public async Task The_same_bytes_again_by_a_stranger_are_refused()
    {
        await using var harness = await WorkerHarness.StartAsync(Queue);
        await harness.DeliverAsync(new ReadManifest(await harness.CheckedAsync("foo", "1.0.0")));
        var again = await harness.CheckedAsync("foo", "1.0.0", user: "stranger");

        await harness.DeliverAsync(new ReadManifest(again));

        (await harness.TextAsync("SELECT verdict_code FROM publishes WHERE id = $1", again)).ShouldBe("not-owner");
    }

    [Fact]
    public async Task A_name_that_differs_in_case_or_dashes_is_the_same_crate_by_another_spelling()
    {
        await using var harness = await WorkerHarness.StartAsync(Queue);
        await harness.DeliverAsync(new ReadManifest(await harness.CheckedAsync("foo-bar", "1.0.0")));
        var other = await harness.CheckedAsync("Foo_bar", "2.0.0");

        await harness.DeliverAsync(new ReadManifest(other));

        (await harness.TextAsync("SELECT verdict_text FROM publishes WHERE id = $1", other)).ShouldBe("crate was previously named `foo-bar`");
    }

    [Fact]
    public async Task A_dependency_must_be_known_here_unless_the_publish_names_another_registry()
    {
        await using var harness = await WorkerHarness.StartAsync(Queue);
        var manifest = WorkerHarness.Manifest("foo", "1.0.0", "[dependencies]\nserde = \"1\"\n");
        const string Foreign = """{"dependencies":[{"name":"serde","kind":"Normal","versionReq":"^1","registry":"https://github.com/rust-lang/crates.io-index"}],"allowMissingDependencies":false}""";
        var here = await harness.CheckedAsync("foo", "1.0.0", manifest);
        await harness.DeliverAsync(new ReadManifest(here));
        (await harness.TextAsync("SELECT verdict_text FROM publishes WHERE id = $1", here)).ShouldBe("no known crate named `serde`");

        var foreign = await harness.CheckedAsync("foo", "1.0.0", manifest, claims: Foreign);
        await harness.DeliverAsync(new ReadManifest(foreign));

        (await harness.TextAsync("SELECT state FROM publishes WHERE id = $1", foreign)).ShouldBe("accepted");
        (await harness.TextAsync("SELECT entry_head FROM versions"))!.ShouldContain("\"registry\":\"https://github.com/rust-lang/crates.io-index\"");
    }

    [Fact]
    public async Task Publication_times_of_a_crate_strictly_increase()
    {
        await using var harness = await WorkerHarness.StartAsync(Queue);
        await harness.DeliverAsync(new ReadManifest(await harness.CheckedAsync("foo", "1.0.0")));
        await harness.ExecuteAsync("UPDATE crates SET last_published_at = now_us() + 3600000000");
        await harness.ExecuteAsync("UPDATE versions SET published_at = (SELECT last_published_at FROM crates)");

        await harness.DeliverAsync(new ReadManifest(await harness.CheckedAsync("foo", "1.1.0")));

        (await harness.LongAsync("SELECT (SELECT published_at FROM versions WHERE num = '1.1.0') - (SELECT published_at FROM versions WHERE num = '1.0.0')")).ShouldBe(1);
    }

    [Fact]
    public async Task An_older_holder_of_the_reservation_cannot_record()
    {
        await using var harness = await WorkerHarness.StartAsync(Queue);
        var id = await harness.CheckedAsync("foo", "1.0.0");
        await harness.ExecuteAsync(
            "INSERT INTO reservations (namespace, source, canonical, num_no_build, holder, checksum, fence, reserved_at) VALUES ('', 'local', 'foo', '1.0.0', $1, 'x', 7, 0)", id);

        await harness.DeliverAsync(new ReadManifest(id));

        // The reservation of an earlier run of the same publish is taken over under a higher fence.
        (await harness.TextAsync("SELECT state FROM publishes")).ShouldBe("accepted");
        (await harness.LongAsync("SELECT count(*) FROM reservations")).ShouldBe(0);
    }

    [Fact]
    public async Task Bytes_that_no_version_names_are_replaced_by_the_holder_of_the_reservation()
    {
        await using var harness = await WorkerHarness.StartAsync(Queue);
        await harness.Store.PutAsync("crates/foo/foo-1.0.0.crate", "left over"u8.ToArray());
        var id = await harness.CheckedAsync("foo", "1.0.0");

        await harness.DeliverAsync(new ReadManifest(id));

        (await harness.TextAsync("SELECT state FROM publishes")).ShouldBe("accepted");
        (await harness.ReadAsync("crates/foo/foo-1.0.0.crate")).ShouldNotBe("left over");
    }

    [Fact]
    public async Task What_a_publish_leaves_out_is_removed_from_the_crate()
    {
        await using var harness = await WorkerHarness.StartAsync(Queue);
        await harness.DeliverAsync(new ReadManifest(await harness.CheckedAsync("foo", "1.0.0", WorkerHarness.Manifest("foo", "1.0.0", "documentation = \"http://foo.rs\"\n"))));
        (await harness.TextAsync("SELECT documentation FROM crates")).ShouldBe("http://foo.rs");

        await harness.DeliverAsync(new ReadManifest(await harness.CheckedAsync("foo", "1.1.0")));

        (await harness.TextAsync("SELECT documentation FROM crates")).ShouldBeNull();
    }

    [Fact]
    public async Task A_deleted_versions_number_stays_taken_for_other_bytes_and_comes_back_for_its_own()
    {
        await using var harness = await WorkerHarness.StartAsync(Queue);
        await harness.DeliverAsync(new ReadManifest(await harness.CheckedAsync("foo", "1.0.0")));
        await harness.ExecuteAsync("UPDATE versions SET state = 'deleted'");

        var other = await harness.CheckedAsync("foo", "1.0.0", WorkerHarness.Manifest("foo", "1.0.0", "# other bytes\n"));
        await harness.DeliverAsync(new ReadManifest(other));
        var own = await harness.CheckedAsync("foo", "1.0.0");
        await harness.DeliverAsync(new ReadManifest(own));

        (await harness.TextAsync("SELECT verdict_code FROM publishes WHERE id = $1", other)).ShouldBe("version-exists");
        (await harness.TextAsync("SELECT state FROM publishes WHERE id = $1", own)).ShouldBe("accepted");
        (await harness.TextsAsync("SELECT state || CASE WHEN freed THEN ' freed' ELSE '' END FROM versions ORDER BY id")).ShouldBe("deleted freed, active");
    }

    [Fact]
    public async Task A_deleted_crate_whose_name_is_free_again_goes_on_with_its_row_under_a_new_owner_and_spelling()
    {
        await using var harness = await WorkerHarness.StartAsync(Queue);
        await harness.DeliverAsync(new ReadManifest(await harness.CheckedAsync("foo-bar", "1.0.0")));
        await harness.ExecuteAsync("UPDATE crates SET state = 'deleted', revision = 2, available_at = now_us() + 60000000");
        await harness.ExecuteAsync("UPDATE versions SET state = 'deleted', freed = TRUE");
        var early = await harness.CheckedAsync("foo_bar", "1.0.0", user: "next");
        await harness.DeliverAsync(new ReadManifest(early));
        (await harness.TextAsync("SELECT verdict_code FROM publishes WHERE id = $1", early)).ShouldBe("name-not-available");

        await harness.ExecuteAsync("UPDATE crates SET available_at = now_us() - 1");
        await harness.DeliverAsync(new ReadManifest(await harness.CheckedAsync("foo_bar", "1.0.0", user: "next")));

        (await harness.TextAsync("SELECT name || ' ' || state || ' ' || revision FROM crates")).ShouldBe("foo_bar active 3");
        (await harness.TextAsync("SELECT u.login FROM owners o JOIN users u ON u.id = o.user_id")).ShouldBe("next");
    }
}
