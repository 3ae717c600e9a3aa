using Pipeline.Contracts.Index;
using Pipeline.Registry.Truth;
using Pipeline.Workers.Tests.Harness;
using Pipeline.Workers.Upkeep;

namespace Pipeline.Workers.Tests.GitIndex;

/// <summary>The git writer behind its bell; what it does with rows and batches is tested beside <see cref="GitIndexWriterTests"/>.</summary>
public sealed class CommitIndexConsumerTests
{
    private const string Queue = "commit-index";

    [Fact]
    public async Task A_bell_commits_whatever_is_behind()
    {
        await using var harness = await WorkerHarness.StartAsync(Queue);
        await CrateAsync(harness, "foo");
        await CrateAsync(harness, "barn");

        await harness.DeliverAsync(new CommitIndex());

        (await harness.GitAsync("log", "--reverse", "--format=%s")).ShouldBe("Create crate `foo`\nCreate crate `barn`\n");
        (await harness.LongAsync("SELECT count(*) FROM projections WHERE kind = 'git' AND reached < wanted")).ShouldBe(0);
    }

    [Fact]
    public async Task When_each_change_was_shown_is_noted_once_and_not_for_a_crate_that_was_set_aside()
    {
        await using var harness = await WorkerHarness.StartAsync(Queue);
        await CrateAsync(harness, "foo");
        await CrateAsync(harness, "../bad");
        await harness.DeliverAsync(new CommitIndex());
        await harness.FailuresAsync();
        await harness.ExecuteAsync("UPDATE changes SET git_at = 5 WHERE git_at IS NOT NULL");
        await harness.Database.WriteAsync(sql => Revisions.BumpAsync(sql, 1, "owners", null));

        await harness.DeliverAsync(new CommitIndex());

        (await harness.TextsAsync("SELECT crate_id || ' ' || revision || CASE WHEN git_at IS NULL THEN ' -' WHEN git_at = 5 THEN ' before' ELSE ' now' END FROM changes ORDER BY id"))
            .ShouldBe("1 1 before, 2 1 -, 1 2 now");
    }

    [Fact]
    public async Task A_second_bell_makes_no_second_commit()
    {
        await using var harness = await WorkerHarness.StartAsync(Queue);
        await CrateAsync(harness, "foo");
        await harness.DeliverAsync(new CommitIndex());

        await harness.DeliverAsync(new CommitIndex());

        (await harness.GitAsync("rev-list", "--count", "HEAD")).Trim().ShouldBe("1");
    }

    [Fact]
    public async Task A_row_that_cannot_be_shown_is_a_visible_failure_and_holds_up_no_other()
    {
        await using var harness = await WorkerHarness.StartAsync(Queue);
        await CrateAsync(harness, "../bad");
        await CrateAsync(harness, "good");

        await harness.DeliverAsync(new CommitIndex());

        (await harness.GitAsync("log", "--format=%s")).ShouldBe("Create crate `good`\n");
        (await harness.FailuresAsync()).ShouldBe(["transient/index-row-refused"]);
    }

    [Fact]
    public async Task A_git_that_cannot_be_started_is_a_failure_row_and_nothing_is_reached()
    {
        await using var harness = await WorkerHarness.StartAsync(Queue, git: "no-such-git");
        await CrateAsync(harness, "foo");

        await harness.DeliverAsync(new CommitIndex());

        (await harness.FailuresAsync()).ShouldHaveSingleItem();
        (await harness.LongAsync("SELECT count(*) FROM projections WHERE kind = 'git' AND reached < wanted")).ShouldBe(1);
    }

    [Fact]
    public async Task A_remote_that_is_away_is_one_failure_and_left_alone_until_its_next_try_and_then_drains()
    {
        var folder = Directory.CreateTempSubdirectory("remote-").FullName;
        var remote = new BareRemote(folder);
        await using (var harness = await WorkerHarness.StartAsync(Queue, gitRemote: remote.Repository))
        {
            Directory.Move(remote.Repository, remote.Repository + ".away");
            await CrateAsync(harness, "foo");
            await harness.DeliverAsync(new CommitIndex());
            await harness.ExecuteAsync("UPDATE git_index SET next_try_at = now_us() + 60000000");
            for (var i = 0; i < 5; i++) await harness.DeliverAsync(new CommitIndex());

            (await harness.FailuresAsync()).ShouldBe(["transient/git-remote-away"]);
            (await harness.LongAsync("SELECT count FROM failures WHERE key = 'index'")).ShouldBe(1);
            (await harness.TextAsync("SELECT last_error FROM git_index"))!.ShouldContain("remote.git");
            (await harness.Database.ReadAsync(WaitingRows.GitIsBehindAsync)).ShouldBeFalse();

            Directory.Move(remote.Repository + ".away", remote.Repository);
            await harness.ExecuteAsync("UPDATE git_index SET next_try_at = now_us()");
            (await harness.Database.ReadAsync(WaitingRows.GitIsBehindAsync)).ShouldBeTrue();
            await harness.DeliverAsync(new CommitIndex());
            remote.Messages().ShouldBe(["Create crate `foo`"]);
            (await harness.FailuresAsync()).ShouldBeEmpty();
            (await harness.LongAsync("SELECT COUNT(*) FROM git_index WHERE next_try_at IS NOT NULL OR attempts > 0")).ShouldBe(0);
            (await harness.Database.ReadAsync(WaitingRows.GitIsBehindAsync)).ShouldBeFalse();
        }

        Directory.Delete(folder, recursive: true);
    }

    private static async Task CrateAsync(WorkerHarness harness, string name) =>
        await harness.Database.WriteAsync(async sql =>
        {
            var crate = (await sql.LongAsync(
                "INSERT INTO crates (canonical, name, revision, last_published_at, created_at, updated_at) VALUES ($1, $1, 1, 0, 0, 0) RETURNING id", name))!.Value;
            await sql.ExecuteAsync(
                """
                INSERT INTO versions (crate_id, num, num_no_build, sort_key, prerelease, checksum, size, object_key, entry_head, entry_tail, dependencies, features,
                    has_lib, bin_names, publish_id, published_at, updated_at)
                VALUES ($1, '1.0.0', '1.0.0', '\x00', FALSE, 'c', 1, 'k', '{"yanked":', '}', '[]', '{}', TRUE, '[]', 'p', 0, 0)
                """,
                crate);
            return await Revisions.RecordAsync(sql, crate, 1, name, "publish", null, null);
        });
}
