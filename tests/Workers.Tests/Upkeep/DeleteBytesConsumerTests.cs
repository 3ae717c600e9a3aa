using Pipeline.Contracts.Cdn;
using Pipeline.Contracts.Index;
using Pipeline.Contracts.Upkeep;
using Pipeline.Registry.Cdn;
using Pipeline.Registry.Identity;
using Pipeline.Registry.Truth;
using Pipeline.Workers.Tests.Cdn;
using Pipeline.Workers.Tests.Harness;

namespace Pipeline.Workers.Tests.Upkeep;

public sealed class DeleteBytesConsumerTests
{
    private const string Queue = "delete-bytes";
    private const string Key = "crates/foo/foo-1.0.0.crate";

    [Fact]
    public async Task Bytes_go_once_every_projection_has_passed_the_deletion()
    {
        await using var harness = await StartAsync(reached: 2);

        await harness.DeliverAsync(new DeleteBytes(1));

        (await harness.ObjectsAsync()).ShouldBeEmpty();
        (await harness.LongAsync("SELECT count(*) FROM deletions WHERE done_at IS NOT NULL")).ShouldBe(1);
        (await harness.LongAsync("SELECT count(*) FROM reservations")).ShouldBe(0);
    }

    [Fact]
    public async Task Delivering_it_again_leaves_bytes_that_came_since()
    {
        await using var harness = await StartAsync(reached: 2);
        await harness.DeliverAsync(new DeleteBytes(1));
        await harness.Store.PutAsync(Key, "new"u8.ToArray());

        await harness.DeliverAsync(new DeleteBytes(1));

        (await harness.ReadAsync(Key)).ShouldBe("new");
    }

    [Fact]
    public async Task Bytes_stay_while_a_projection_still_names_them()
    {
        await using var harness = await StartAsync(reached: 1);

        await harness.DeliverAsync(new DeleteBytes(1));

        (await harness.ObjectsAsync()).ShouldBe([Key]);
        (await harness.LongAsync("SELECT count(*) FROM deletions WHERE done_at IS NULL")).ShouldBe(1);
    }

    [Fact]
    public async Task Bytes_that_a_served_version_names_again_stay_and_the_deletion_is_over()
    {
        await using var harness = await StartAsync(reached: 2);
        await harness.ExecuteAsync("UPDATE versions SET state = 'active'");

        await harness.DeliverAsync(new DeleteBytes(1));

        (await harness.ObjectsAsync()).ShouldBe([Key]);
        (await harness.LongAsync("SELECT count(*) FROM deletions WHERE done_at IS NOT NULL")).ShouldBe(1);
    }

    [Theory]
    [InlineData("record git sparse cdn")]
    [InlineData("record sparse git cdn")]
    [InlineData("record sparse cdn git")]
    [InlineData("git sparse cdn record")]
    public async Task Bytes_go_behind_both_indexes_the_cache_and_the_record_whichever_is_last(string order)
    {
        const string file = "index/3/f/foo";
        await using var cache = FakeServer.Start(_ => new Reply(200));
        await using var harness = await WorkerHarness.StartAsync("delete-bytes commit-index render-sparse purge-cdn record-crate", cdn: PurgedRegistry.Options(PurgedRegistry.Plain(cache.Url)));
        foreach (var num in (string[])["1.0.0", "1.1.0"]) await harness.RecordAsync("foo", num);
        await harness.RenderAllAsync();
        await harness.DeliverAsync(new RecordCrate(1));
        await harness.DeliverAsync(new PurgeCdn());
        await harness.Database.WriteAsync(static async sql =>
            await CrateDeletion.DeleteVersionAsync(sql, (await CrateLookup.VersionAsync(sql, (await CrateLookup.LockCrateAsync(sql, "foo"))!, "1.0.0"))!, free: false, Actor.System, null));

        foreach (var step in order.Split(' '))
        {
            await harness.DeliverAsync(new DeleteBytes(1));
            (await harness.ObjectsAsync()).ShouldContain(Key, $"before {step}");
            switch (step)
            {
                case "git": await harness.DeliverAsync(new CommitIndex()); break;
                case "sparse": await harness.DeliverAsync(new RenderSparse(1)); break;
                case "cdn": await harness.DeliverAsync(new PurgeCdn()); break;
                default: await harness.DeliverAsync(new RecordCrate(1)); break;
            }
        }

        await harness.DeliverAsync(new DeleteBytes(1));
        (await harness.ObjectsAsync()).ShouldNotContain(Key);
        (await harness.ReadAsync(file)).ShouldNotBeNull().ShouldNotContain("1.0.0");
        (await harness.GitAsync("show", "master:3/f/foo")).ShouldNotContain("1.0.0");
        cache.Received.Count(received => received.Path == $"/{file}").ShouldBe(2, "once as it was made, once as the version went");
    }

    [Fact]
    public async Task A_publish_that_holds_the_version_keeps_the_deletion_waiting()
    {
        await using var harness = await StartAsync(reached: 2);
        await harness.ExecuteAsync(
            "INSERT INTO reservations (namespace, source, canonical, num_no_build, holder, fence, reserved_at) VALUES ('', 'local', 'foo', '1.0.0', 'publish', 1, 0)");

        await harness.DeliverAsync(new DeleteBytes(1));

        (await harness.ObjectsAsync()).ShouldBe([Key]);
        (await harness.LongAsync("SELECT count(*) FROM deletions WHERE done_at IS NULL")).ShouldBe(1);
    }

    [Fact]
    public async Task Bytes_wait_for_the_purge_of_the_index_and_the_file_is_purged_once_more_when_they_are_gone()
    {
        var options = PurgedRegistry.Options(PurgedRegistry.Plain("http://edge.example"));
        await using var harness = await StartAsync(reached: 2, options);
        await harness.PurgeAsync(options, "3/f/foo", PurgeCauses.Removed);

        await harness.DeliverAsync(new DeleteBytes(1));
        (await harness.ObjectsAsync()).ShouldBe([Key]);

        await harness.ExecuteAsync("UPDATE purges SET confirmed_at = now_us(), outcome = 'accepted'");
        await harness.DeliverAsync(new DeleteBytes(1));

        (await harness.ObjectsAsync()).ShouldBeEmpty();
        (await harness.PurgesAsync()).ShouldBe(["edge index/3/f/foo accepted", $"edge {Key} waits"]);
        harness.Bells.Rung.ShouldBe([new PurgeCdn()]);
    }

    [Fact]
    public async Task Other_bytes_under_the_same_key_are_purged_too()
    {
        var options = PurgedRegistry.Options(PurgedRegistry.Plain("http://edge.example"));
        await using var harness = await StartAsync(reached: 2, options);
        await harness.ExecuteAsync("UPDATE versions SET state = 'active'");

        await harness.DeliverAsync(new DeleteBytes(1));

        (await harness.ObjectsAsync()).ShouldBe([Key]);
        (await harness.PurgesAsync()).ShouldBe([$"edge {Key} waits"]);
    }

    [Fact]
    public async Task A_failure_is_a_row()
    {
        await using var harness = await StartAsync(reached: 2);
        await harness.ExecuteAsync("DROP TABLE reservations");

        await harness.DeliverAsync(new DeleteBytes(1));

        (await harness.FailuresAsync()).ShouldBe([$"fault/{WorkerHarness.DatabaseError}"]);
    }

    private static async Task<WorkerHarness> StartAsync(long reached, CdnOptions? cdn = null)
    {
        var harness = await WorkerHarness.StartAsync(Queue, cdn: cdn);
        await harness.Store.PutAsync(Key, "bytes"u8.ToArray());
        await harness.ExecuteAsync("INSERT INTO crates (canonical, name, state, revision, last_published_at, created_at, updated_at) VALUES ('foo', 'foo', 'deleted', 2, 0, 0, 0)");
        await harness.ExecuteAsync(
            """
            INSERT INTO versions (crate_id, num, num_no_build, sort_key, prerelease, state, checksum, size, object_key, entry_head, entry_tail, dependencies, features,
                has_lib, bin_names, publish_id, published_at, updated_at)
            VALUES (1, '1.0.0', '1.0.0', '\x00', FALSE, 'deleted', 'c', 1, $1, '', '', '[]', '{}', TRUE, '[]', 'p', 0, 0)
            """,
            Key);
        await harness.ExecuteAsync("INSERT INTO projections (crate_id, kind, wanted, reached, first_change) VALUES (1, 'sparse', 2, $1, 1)", reached);
        await harness.ExecuteAsync("INSERT INTO deletions (crate_id, version_id, revision, object_key) VALUES (1, 1, 2, $1)", Key);
        return harness;
    }
}
