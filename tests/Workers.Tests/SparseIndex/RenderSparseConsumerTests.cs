using Pipeline.Contracts.Cdn;
using Pipeline.Contracts.Index;
using Pipeline.Registry.Cdn;
using Pipeline.Registry.Truth;
using Pipeline.Workers.Tests.Cdn;
using Pipeline.Workers.Tests.Harness;

namespace Pipeline.Workers.Tests.SparseIndex;

public sealed class RenderSparseConsumerTests
{
    private const string Queue = "render-sparse";
    private const string Key = "index/3/f/foo";

    [Fact]
    public async Task A_crate_that_is_behind_gets_its_whole_file()
    {
        await using var harness = await WorkerHarness.StartAsync(Queue);
        var crate = await CrateAsync(harness, "1.0.0", "1.1.0");

        await harness.DeliverAsync(new RenderSparse(crate));

        (await harness.ReadAsync(Key)).ShouldBe(Line("1.0.0", false) + Line("1.1.0", false));
        (await harness.LongAsync("SELECT count(*) FROM projections WHERE kind = 'sparse' AND reached = wanted")).ShouldBe(1);
        (await harness.LongAsync("SELECT count(*) FROM claims")).ShouldBe(0);
    }

    [Fact]
    public async Task When_each_change_was_shown_is_noted_once()
    {
        await using var harness = await WorkerHarness.StartAsync(Queue);
        var crate = await CrateAsync(harness, "1.0.0");
        await harness.DeliverAsync(new RenderSparse(crate));
        await harness.ExecuteAsync("UPDATE changes SET sparse_at = 5");
        await BumpAsync(harness, crate, "owners", null);
        await BumpAsync(harness, crate, "owners", null);

        await harness.DeliverAsync(new RenderSparse(crate));

        (await harness.LongAsync("SELECT COUNT(*) FROM changes WHERE sparse_at = 5 AND revision = 1")).ShouldBe(1);
        (await harness.LongAsync("SELECT COUNT(*) FROM changes WHERE sparse_at > 5 AND revision > 1")).ShouldBe(2);
    }

    [Fact]
    public async Task Delivering_it_again_writes_nothing()
    {
        await using var harness = await WorkerHarness.StartAsync(Queue);
        var crate = await CrateAsync(harness, "1.0.0");
        await harness.DeliverAsync(new RenderSparse(crate));

        await harness.DeliverAsync(new RenderSparse(crate));

        harness.Store.Puts.ShouldBe(1);
    }

    [Fact]
    public async Task A_file_that_is_equal_already_is_left_alone()
    {
        await using var harness = await WorkerHarness.StartAsync(Queue);
        var crate = await CrateAsync(harness, "1.0.0");
        await harness.DeliverAsync(new RenderSparse(crate));
        await BumpAsync(harness, crate, "owners", null);

        await harness.DeliverAsync(new RenderSparse(crate));

        harness.Store.Puts.ShouldBe(1);
        (await harness.LongAsync("SELECT reached FROM projections WHERE kind = 'sparse'")).ShouldBe(2);
    }

    [Fact]
    public async Task What_caches_must_forget_is_written_with_the_close_of_the_claim_for_every_target()
    {
        await using var harness = await WorkerHarness.StartAsync(Queue, cdn: Caches);
        var crate = await CrateAsync(harness, "1.0.0");

        await harness.DeliverAsync(new RenderSparse(crate));
        await ConfirmAsync(harness, "first");
        await BumpAsync(harness, crate, "yank", true);
        await harness.DeliverAsync(new RenderSparse(crate));
        await ConfirmAsync(harness, "changed");
        await harness.ExecuteAsync("UPDATE crates SET state = 'deleted'");
        await BumpAsync(harness, crate, "delete", null);
        await harness.DeliverAsync(new RenderSparse(crate));
        await ConfirmAsync(harness, "removed");

        (await harness.LongAsync("SELECT COUNT(*) FROM purges WHERE crate_id = $1", crate)).ShouldBe(6);
        harness.Bells.Rung.ShouldBe([new PurgeCdn(), new PurgeCdn(), new PurgeCdn()]);
    }

    [Fact]
    public async Task A_file_that_is_equal_is_not_purged()
    {
        await using var harness = await WorkerHarness.StartAsync(Queue, cdn: Caches);
        var crate = await CrateAsync(harness, "1.0.0");
        await harness.DeliverAsync(new RenderSparse(crate));
        await ConfirmAsync(harness, "first");
        await BumpAsync(harness, crate, "owners", null);

        await harness.DeliverAsync(new RenderSparse(crate));

        (await harness.LongAsync("SELECT COUNT(*) FROM purges")).ShouldBe(2);
    }

    [Theory]
    [InlineData("the process died")]
    [InlineData("the close failed")]
    public async Task A_file_that_is_equal_because_a_render_never_came_to_its_close_is_purged(string end)
    {
        await using var harness = await WorkerHarness.StartAsync(Queue, cdn: Caches);
        var crate = await CrateAsync(harness, "1.0.0");
        var claim = await harness.Database.WriteAsync(sql => Claims.OpenAsync(sql, crate, ProjectionKinds.Sparse, end == "the process died" ? "dead" : harness.Process.Id));
        claim.ShouldNotBeNull();
        await harness.Store.PutAsync(Key, System.Text.Encoding.UTF8.GetBytes(Line("1.0.0", false)));

        await harness.DeliverAsync(new RenderSparse(crate));

        harness.Store.Puts.ShouldBe(1);
        (await harness.PurgesAsync()).ShouldBe(["one index/3/f/foo waits", "two index/3/f/foo waits"]);
    }

    [Fact]
    public async Task A_spelling_that_is_left_behind_is_purged_too()
    {
        await using var harness = await WorkerHarness.StartAsync(Queue, cdn: Caches);
        var crate = await CrateAsync(harness, "1.0.0");
        await harness.ExecuteAsync("UPDATE crates SET name = 'fo-o', canonical = 'fo_o'");
        await harness.DeliverAsync(new RenderSparse(crate));
        await harness.ExecuteAsync("DELETE FROM purges");
        await harness.ExecuteAsync("UPDATE crates SET name = 'fo_o'");
        await BumpAsync(harness, crate, "publish", null);

        await harness.DeliverAsync(new RenderSparse(crate));

        (await harness.RowsAsync("SELECT value || ' ' || cause FROM purges WHERE target = 'one' ORDER BY id")).ShouldBe(["index/fo/-o/fo-o removed", "index/fo/_o/fo_o first"]);
    }

    [Fact]
    public async Task The_files_of_deleted_versions_are_purged_with_the_index_that_names_them_no_more()
    {
        await using var harness = await WorkerHarness.StartAsync(Queue, cdn: Caches);
        var crate = await CrateAsync(harness, "1.0.0", "1.1.0");
        await harness.DeliverAsync(new RenderSparse(crate));
        await harness.ExecuteAsync("DELETE FROM purges");
        await harness.ExecuteAsync("UPDATE versions SET state = 'deleted' WHERE num = '1.0.0'");
        await BumpAsync(harness, crate, "delete", null);
        await harness.ExecuteAsync("INSERT INTO deletions (crate_id, version_id, revision, object_key) VALUES ($1, 1, 2, 'crates/foo/foo-1.0.0.crate')", crate);

        await harness.DeliverAsync(new RenderSparse(crate));

        (await harness.RowsAsync("SELECT value || ' ' || cause FROM purges WHERE target = 'two' ORDER BY id")).ShouldBe(["index/3/f/foo changed", "crates/foo/foo-1.0.0.crate deleted"]);
    }

    [Theory]
    [InlineData("publish")]
    [InlineData("yank")]
    public async Task A_render_paused_before_its_write_leaves_the_right_file_after_a_yank_and_an_unyank_by_others(string paused)
    {
        await using var harness = await WorkerHarness.StartAsync(Queue);
        var crate = await CrateAsync(harness, "1.0.0");
        if (paused == "yank")
        {
            await harness.DeliverAsync(new RenderSparse(crate));
            await BumpAsync(harness, crate, "yank", true);
        }

        var reached = new TaskCompletionSource();
        var resume = new TaskCompletionSource();
        harness.Store.BeforePut = async _ =>
        {
            harness.Store.BeforePut = null;
            reached.SetResult();
            await resume.Task;
        };
        var slow = harness.BeginDelivery(new RenderSparse(crate));
        await reached.Task;

        await BumpAsync(harness, crate, "yank", true);
        await harness.DeliverAsync(new RenderSparse(crate));
        await BumpAsync(harness, crate, "unyank", false);
        await harness.DeliverAsync(new RenderSparse(crate));
        resume.SetResult();
        await slow;

        (await harness.ReadAsync(Key)).ShouldBe(Line("1.0.0", false));
        (await harness.LongAsync("SELECT count(*) FROM projections WHERE kind = 'sparse' AND reached = wanted")).ShouldBe(1);
        (await harness.LongAsync("SELECT count(*) FROM claims")).ShouldBe(0);
    }

    [Fact]
    public async Task A_deleted_crate_loses_its_file_and_one_that_comes_back_in_another_spelling_leaves_none_behind()
    {
        await using var harness = await WorkerHarness.StartAsync(Queue);
        var crate = await CrateAsync(harness, "1.0.0");
        await harness.ExecuteAsync("UPDATE crates SET name = 'fo-o', canonical = 'fo_o'");
        await harness.DeliverAsync(new RenderSparse(crate));
        (await harness.ReadAsync("index/fo/-o/fo-o")).ShouldNotBeNull();

        await harness.ExecuteAsync("UPDATE crates SET name = 'fo_o'");
        await BumpAsync(harness, crate, "publish", null);
        await harness.DeliverAsync(new RenderSparse(crate));

        (await harness.ObjectsAsync()).ShouldBe(["index/fo/_o/fo_o"]);
        await harness.ExecuteAsync("UPDATE crates SET state = 'deleted'");
        await BumpAsync(harness, crate, "delete", null);
        await harness.DeliverAsync(new RenderSparse(crate));
        (await harness.ObjectsAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_store_that_is_away_shows_as_lag_and_is_tried_again()
    {
        await using var harness = await WorkerHarness.StartAsync(Queue);
        var crate = await CrateAsync(harness, "1.0.0");
        harness.Store.Failure = FaultyStore.Away;

        await harness.DeliverAsync(new RenderSparse(crate));

        (await harness.FailuresAsync()).ShouldBe(["transient/store-away"]);
        (await harness.LongAsync("SELECT count(*) FROM projections WHERE kind = 'sparse' AND reached < wanted AND attempts = 1 AND next_try_at > 0")).ShouldBe(1);
        harness.Store.Failure = null;
        await harness.DeliverAsync(new RenderSparse(crate));
        (await harness.ReadAsync(Key)).ShouldBe(Line("1.0.0", false));
        (await harness.FailuresAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task An_unknown_failure_is_parked_as_a_fault()
    {
        await using var harness = await WorkerHarness.StartAsync(Queue);
        var crate = await CrateAsync(harness, "1.0.0");
        harness.Store.Failure = new NotSupportedException("a bug");

        await harness.DeliverAsync(new RenderSparse(crate));

        (await harness.FailuresAsync()).ShouldBe(["fault/NotSupportedException"]);
    }

    private static CdnOptions Caches => PurgedRegistry.Options(PurgedRegistry.Plain("http://one.example", "one"), PurgedRegistry.Plain("http://two.example", "two"));

    /// <summary>As if the caches had been told; what waited for it must have been of one cause.</summary>
    private static async Task ConfirmAsync(WorkerHarness harness, string cause)
    {
        (await harness.RowsAsync("SELECT target || ' ' || value || ' ' || cause FROM purges WHERE confirmed_at IS NULL ORDER BY id"))
            .ShouldBe([$"one index/3/f/foo {cause}", $"two index/3/f/foo {cause}"]);
        await harness.ExecuteAsync("UPDATE purges SET confirmed_at = now_us()");
    }

    private static string Line(string num, bool yanked) => $$"""{"vers":"{{num}}","yanked":{{(yanked ? "true" : "false")}}}""" + "\n";

    private static async Task<long> CrateAsync(WorkerHarness harness, params string[] versions)
    {
        var user = await harness.UserAsync("owner");
        return await harness.Database.WriteAsync(async sql =>
        {
            var crate = (await sql.LongAsync(
                "INSERT INTO crates (canonical, name, revision, last_published_at, created_at, updated_at) VALUES ('foo', 'foo', 1, 0, 0, 0) RETURNING id"))!.Value;
            for (var i = 0; i < versions.Length; i++)
            {
                await sql.ExecuteAsync(
                    """
                    INSERT INTO versions (crate_id, num, num_no_build, sort_key, prerelease, checksum, size, object_key, entry_head, entry_tail, dependencies, features,
                        has_lib, bin_names, published_by, publish_id, published_at, updated_at)
                    VALUES ($1, $2, $2, '\x00', FALSE, 'c', 1, $2, $3, '}', '[]', '{}', TRUE, '[]', $4, 'p', $5, 0)
                    """,
                    crate, versions[i], $$"""{"vers":"{{versions[i]}}","yanked":""", user, (long)i);
            }

            await Revisions.RecordAsync(sql, crate, 1, "foo", "publish", null, null);
            return crate;
        });
    }

    private static async Task BumpAsync(WorkerHarness harness, long crate, string kind, bool? yanked) =>
        await harness.Database.WriteAsync(async sql =>
        {
            if (yanked is { } flag) await sql.ExecuteAsync("UPDATE versions SET yanked = $2 WHERE crate_id = $1", crate, flag);
            return await Revisions.BumpAsync(sql, crate, kind, null);
        });
}
