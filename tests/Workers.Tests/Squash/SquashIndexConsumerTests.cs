using Pipeline.Contracts.Index;
using Pipeline.Contracts.Publishing;
using Pipeline.Contracts.Upkeep;
using Pipeline.Registry.Truth;
using Pipeline.Workers.Tests.GitIndex;
using Pipeline.Workers.Tests.Harness;

namespace Pipeline.Workers.Tests.Squash;

public sealed class SquashIndexConsumerTests
{
    private const string Queues = "read-manifest commit-index squash-index";
    private static readonly DateTimeOffset Slot = new(2026, 1, 2, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public async Task The_index_becomes_one_commit_with_the_same_files_and_its_history_stays_on_a_branch()
    {
        await using var harness = await IndexedAsync();
        var (tip, tree) = (await RevAsync(harness, "master"), await RevAsync(harness, "master^{tree}"));
        await WantAsync(harness);

        await harness.DeliverAsync(new SquashIndex());

        (await harness.GitAsync("rev-list", "--count", "master")).Trim().ShouldBe("1");
        (await RevAsync(harness, "master^{tree}")).ShouldBe(tree);
        var branch = (await harness.TextAsync("SELECT squash_branch FROM git_index"))!;
        branch.ShouldStartWith("snapshot-20");
        (await RevAsync(harness, branch)).ShouldBe(tip);
        (await harness.GitAsync("log", "-1", "--format=%B", "master")).Trim().ShouldBe($"Collapse index into one commit\n\nPrevious HEAD was {tip}, now on the `{branch}` branch");
        (await harness.TextAsync("SELECT squashed_from || ' ' || squashed_to FROM git_index WHERE squash_wanted_at IS NULL")).ShouldBe($"{tip} {await RevAsync(harness, "master")}");
        // Who asks for the new commit next is sent what it lacks, not everything.
        (await harness.GitAsync("count-objects", "-v")).ShouldContain("packs: 1\n");

        await CommitAsync(harness, "later");
        (await harness.GitAsync("log", "--format=%s", "master")).ShouldBe("Create crate `later`\nCollapse index into one commit\n");
        (await harness.GitAsync("fsck", "--full", "--strict")).ShouldBeEmpty();
    }

    [Fact]
    public async Task The_same_squash_delivered_again_does_nothing()
    {
        await using var harness = await IndexedAsync();
        await WantAsync(harness);
        await harness.DeliverAsync(new SquashIndex());
        await CommitAsync(harness, "later");
        var (refs, at) = (await harness.GitAsync("show-ref"), await harness.LongAsync("SELECT squashed_at FROM git_index"));

        await harness.DeliverAsync(new SquashIndex());
        (await harness.GitAsync("show-ref")).ShouldBe(refs);
        (await harness.LongAsync("SELECT squashed_at FROM git_index")).ShouldBe(at);
    }

    [Fact]
    public async Task One_that_could_not_be_noted_any_more_is_found_done()
    {
        await using var harness = await IndexedAsync();
        await WantAsync(harness);
        await harness.DeliverAsync(new SquashIndex());
        var refs = await harness.GitAsync("show-ref");
        await WantAsync(harness);

        await harness.DeliverAsync(new SquashIndex());

        (await harness.GitAsync("show-ref")).ShouldBe(refs);
        (await harness.LongAsync("SELECT count(*) FROM git_index WHERE squash_wanted_at IS NOT NULL")).ShouldBe(0);
    }

    [Fact]
    public async Task Two_squashes_of_one_day_keep_both_histories()
    {
        await using var harness = await IndexedAsync();
        await WantAsync(harness);
        await harness.DeliverAsync(new SquashIndex());
        await CommitAsync(harness, "later");
        await WantAsync(harness);
        await harness.DeliverAsync(new SquashIndex());

        (await harness.GitAsync("for-each-ref", "--format=%(refname)", "refs/heads/snapshot-*")).Split('\n', StringSplitOptions.RemoveEmptyEntries).Length.ShouldBe(2);
        (await harness.TextAsync("SELECT squash_branch FROM git_index"))!.ShouldEndWith("-2");
    }

    [Fact]
    public async Task The_schedule_squashes_only_a_long_history_and_each_slot_once()
    {
        await using var harness = await IndexedAsync();
        await harness.DeliverAsync(new SquashIndex(Slot));
        (await harness.GitAsync("rev-list", "--count", "master")).Trim().ShouldBe("3", "10,000 commits are not there yet");
        (await harness.LongAsync("SELECT count(*) FROM schedule_slots WHERE schedule = 'squash-index'")).ShouldBe(1);
        await harness.DeliverAsync(new SquashIndex(Slot));
        (await harness.LongAsync("SELECT squashed_at FROM git_index")).ShouldBeNull();
    }

    [Fact]
    public async Task A_slot_that_finds_history_enough_squashes_it_and_delivered_again_leaves_what_came_since()
    {
        await using var harness = await IndexedAsync(squashAfterCommits: 2);
        await harness.DeliverAsync(new SquashIndex(Slot));
        (await harness.GitAsync("rev-list", "--count", "master")).Trim().ShouldBe("1");
        foreach (var name in new[] { "four", "five" }) await CommitAsync(harness, name);

        await harness.DeliverAsync(new SquashIndex(Slot));
        (await harness.GitAsync("rev-list", "--count", "master")).Trim().ShouldBe("3");
        await harness.DeliverAsync(new SquashIndex(Slot.AddDays(1)));
        (await harness.GitAsync("rev-list", "--count", "master")).Trim().ShouldBe("1");
    }

    [Fact]
    public async Task With_a_remote_both_branches_are_pushed_at_once_and_what_comes_later_is_pushed_on_top()
    {
        var folder = Directory.CreateTempSubdirectory("squash-").FullName;
        var remote = new BareRemote(folder);
        await using var harness = await IndexedAsync(remote.Repository);
        var (tip, tree) = (remote.Tip, remote.Git("rev-parse", "master^{tree}"));
        // One push: git calls the hook once for it, with a line for each branch.
        remote.Hook("post-receive", "echo push >> pushes; cat >> pushes");
        await WantAsync(harness);

        await harness.DeliverAsync(new SquashIndex());

        remote.Messages().ShouldBe(["Collapse index into one commit"]);
        remote.Git("rev-parse", "master^{tree}").ShouldBe(tree);
        var branch = (await harness.TextAsync("SELECT squash_branch FROM git_index"))!;
        remote.Git("rev-parse", branch).Trim().ShouldBe(tip);
        File.ReadAllLines(Path.Combine(remote.Repository, "pushes")).Length.ShouldBe(3);
        (await harness.TextAsync("SELECT tip FROM git_index")).ShouldBe(remote.Tip);

        await CommitAsync(harness, "later");
        remote.Messages().ShouldBe(["Collapse index into one commit", "Create crate `later`"]);
        (await RevAsync(harness, "master")).ShouldBe(remote.Tip);
        remote.Git("fsck", "--full", "--strict");
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task What_others_pushed_meanwhile_is_squashed_with_the_rest_and_not_lost()
    {
        var folder = Directory.CreateTempSubdirectory("squash-").FullName;
        var remote = new BareRemote(folder);
        await using var harness = await IndexedAsync(remote.Repository);
        remote.Edit("Edit config", ("config.json", "{\"dl\":\"elsewhere\"}\n"));
        var tip = remote.Tip;
        await WantAsync(harness);

        await harness.DeliverAsync(new SquashIndex());

        remote.Messages().ShouldBe(["Collapse index into one commit"]);
        remote.Show("config.json").ShouldBe("{\"dl\":\"elsewhere\"}\n");
        remote.Git("rev-parse", (await harness.TextAsync("SELECT squash_branch FROM git_index"))!).Trim().ShouldBe(tip);
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task A_remote_that_refuses_changes_nothing_and_it_is_tried_again()
    {
        var folder = Directory.CreateTempSubdirectory("squash-").FullName;
        var remote = new BareRemote(folder);
        await using var harness = await IndexedAsync(remote.Repository);
        var (tip, refs) = (remote.Tip, remote.Git("show-ref"));
        remote.Hook("pre-receive", "exit 1");
        await WantAsync(harness);

        await harness.DeliverAsync(new SquashIndex());

        (await harness.FailuresAsync()).ShouldBe(["transient/git-remote-refused"]);
        remote.Git("show-ref").ShouldBe(refs);
        (await RevAsync(harness, "master")).ShouldBe(tip);
        (await harness.LongAsync("SELECT squash_next_try_at - now_us() FROM git_index WHERE squash_wanted_at IS NOT NULL")).ShouldNotBeNull().ShouldBeGreaterThan(0);

        remote.Hook("pre-receive", null);
        await harness.ExecuteAsync(SquashRow.ResetSql, SquashRow.Key);
        await harness.DeliverAsync(new SquashIndex());
        remote.Messages().ShouldBe(["Collapse index into one commit"]);
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task A_writer_that_holds_the_lock_is_waited_for()
    {
        await using var harness = await IndexedAsync();
        await WantAsync(harness);
        // Both at once, many times over: each batch goes before the squash or on top of it.
        var squash = harness.BeginDelivery(new SquashIndex());
        var commits = Enumerable.Range(0, 5).Select(async i =>
        {
            await harness.DeliverAsync(new ReadManifest(await harness.CheckedAsync($"beside-{i}", "1.0.0")));
            await harness.DeliverAsync(new CommitIndex());
        });
        await Task.WhenAll([squash, .. commits]);
        await harness.DeliverAsync(new CommitIndex());

        (await harness.LongAsync("SELECT count(*) FROM projections WHERE kind = 'git' AND reached < wanted")).ShouldBe(0);
        (await harness.GitAsync("ls-tree", "-r", "--name-only", "master")).Split('\n').Count(static path => path.Contains("beside", StringComparison.Ordinal)).ShouldBe(5);
        (await harness.GitAsync("fsck", "--full", "--strict")).ShouldBeEmpty();
        (await harness.GitAsync("log", "--format=%s", "--max-parents=0", "master")).Trim().ShouldBe("Collapse index into one commit");
    }

    [Fact]
    public async Task A_fault_is_parked_and_replayed()
    {
        await using var harness = await IndexedAsync();
        await WantAsync(harness);
        await harness.ExecuteAsync("ALTER TABLE leases RENAME TO leases_away");
        await harness.DeliverAsync(new SquashIndex());
        (await harness.FailuresAsync()).ShouldBe([$"fault/{WorkerHarness.DatabaseError}"]);
        await harness.ExecuteAsync("ALTER TABLE leases_away RENAME TO leases");

        await harness.DeliverAsync(new SquashIndex());
        (await harness.GitAsync("rev-list", "--count", "master")).Trim().ShouldBe("3", "it is parked");
        await harness.ExecuteAsync(SquashRow.ResetSql, SquashRow.Key);
        await harness.DeliverAsync(new SquashIndex());
        (await harness.GitAsync("rev-list", "--count", "master")).Trim().ShouldBe("1");
    }

    /// <summary>Three crates in three commits; with a remote, a fourth for its config.json.</summary>
    private static async Task<WorkerHarness> IndexedAsync(string? remote = null, int squashAfterCommits = 10_000)
    {
        var harness = await WorkerHarness.StartAsync(Queues, gitRemote: remote, squashAfterCommits: squashAfterCommits);
        await harness.ExecuteAsync("INSERT INTO registry (id, epoch, created_at, public_url) VALUES (1, 'e', 0, 'http://registry.example')");
        foreach (var name in new[] { "one", "two", "three" }) await CommitAsync(harness, name);
        return harness;
    }

    private static async Task CommitAsync(WorkerHarness harness, string name)
    {
        await harness.DeliverAsync(new ReadManifest(await harness.CheckedAsync(name, "1.0.0")));
        await harness.DeliverAsync(new CommitIndex());
    }

    private static Task<int> WantAsync(WorkerHarness harness) => harness.Database.WriteAsync(SquashRow.WantAsync).AsTask();

    private static async Task<string> RevAsync(WorkerHarness harness, string name) => (await harness.GitAsync("rev-parse", name)).Trim();
}
