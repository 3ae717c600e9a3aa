using Pipeline.Contracts.Index;
using Pipeline.Contracts.Upkeep;
using Pipeline.Registry.Faults;
using Pipeline.Registry.Truth;
using Pipeline.Workers.Tests.GitIndex;
using Pipeline.Workers.Tests.Harness;

namespace Pipeline.Workers.Tests.Rebuilds;

public sealed class RebuildConsumerTests
{
    private const string Queues = "rebuild render-sparse commit-index";

    [Fact]
    public async Task The_sparse_index_is_made_anew_byte_for_byte_and_what_no_crate_names_goes()
    {
        await using var harness = await PublishedAsync();
        var before = await SparseAsync(harness);
        await harness.Store.DeleteAsync("index/fo/ob/foobar");
        await harness.Store.PutAsync("index/ba/rb/barbaz", "damaged\n"u8.ToArray());
        await harness.Store.PutAsync("index/no/bo/nobody", "{}\n"u8.ToArray());

        await RebuildAsync(harness, "sparse");

        (await SparseAsync(harness)).ShouldBe(before);
        (await StateAsync(harness)).ShouldBe("done 3 of 3");
        Directory.Exists(Path.Combine(harness.Folder, "objects", ".rebuilt", "index")).ShouldBeFalse();
    }

    [Fact]
    public async Task Delivering_it_again_after_its_end_does_nothing()
    {
        await using var harness = await PublishedAsync();
        await RebuildAsync(harness, "sparse");
        await harness.Store.PutAsync("index/no/bo/nobody", "{}\n"u8.ToArray());

        await harness.DeliverAsync(new Rebuild(1));

        (await harness.ReadAsync("index/no/bo/nobody")).ShouldNotBeNull();
    }

    [Fact]
    public async Task On_an_object_store_every_crate_is_rendered_again_whatever_its_row_says()
    {
        await using var harness = await PublishedAsync();
        var before = await SparseAsync(harness);
        harness.Store.HasFolders = false;
        await harness.Store.DeleteAsync("index/fo/ob/foobar");
        await harness.Store.PutAsync("index/ba/rb/barbaz", "an older rendering\n"u8.ToArray());

        await RebuildAsync(harness, "sparse");

        (await SparseAsync(harness)).ShouldBe(before);
        (await StateAsync(harness)).ShouldBe("done 3 of 3");
    }

    [Fact]
    public async Task A_crate_alone_is_rendered_again()
    {
        await using var harness = await PublishedAsync();
        var before = await SparseAsync(harness);
        await harness.Store.PutAsync("index/ba/rb/barbaz", "an older rendering\n"u8.ToArray());

        await RebuildAsync(harness, "sparse", crate: "barbaz");

        (await SparseAsync(harness)).ShouldBe(before);
    }

    [Fact]
    public async Task Into_a_folder_come_the_same_files()
    {
        await using var harness = await PublishedAsync();
        var folder = Path.Combine(harness.Folder, "copy");

        await RebuildAsync(harness, "sparse", folder: folder);

        var files = Directory.GetFiles(folder, "*", SearchOption.AllDirectories).Where(file => !file.EndsWith("config.json", StringComparison.Ordinal))
            .Select(file => $"index/{Path.GetRelativePath(folder, file)}={File.ReadAllText(file)}").Order(StringComparer.Ordinal);
        string.Join('\n', files).ShouldBe(await SparseAsync(harness));
        Directory.Exists(folder + ".unfinished").ShouldBeFalse();
    }

    [Theory]
    [InlineData("rebuild.filled")]
    [InlineData("rebuild.swapping")]
    [InlineData("rebuild.swapped")]
    public async Task A_crate_that_moves_at_any_moment_of_the_swap_stands_in_the_new_index(string moment)
    {
        await using var harness = await PublishedAsync();
        FaultPoints.Set(moment, () => MoveAsync(harness).GetAwaiter().GetResult());
        await RebuildAsync(harness, "sparse");

        (await harness.ReadAsync("index/fo/ob/foobar"))!.ShouldContain("\"yanked\":true");
        (await harness.ReadAsync("index/ne/w-/new-crate")).ShouldNotBeNull();
        (await harness.LongAsync("SELECT count(*) FROM claims")).ShouldBe(0);
    }

    [Theory]
    [InlineData("rebuild.filled")]
    [InlineData("rebuild.swapping")]
    [InlineData("rebuild.swapped")]
    public async Task Cut_off_at_any_moment_and_begun_again_it_ends_with_the_same_bytes(string moment)
    {
        await using var harness = await PublishedAsync();
        var before = await SparseAsync(harness);
        FaultPoints.Set(moment, () => throw FaultyStore.Away);
        await RebuildAsync(harness, "sparse");

        (await harness.FailuresAsync()).ShouldBe(["transient/store-away"]);
        (await SparseAsync(harness)).ShouldBe(before);
        await MoveAsync(harness);

        await harness.DeliverAsync(new Rebuild(1));

        (await StateAsync(harness)).ShouldBe("done 4 of 4");
        (await harness.ReadAsync("index/fo/ob/foobar"))!.ShouldContain("\"yanked\":true");
        (await harness.ReadAsync("index/ne/w-/new-crate")).ShouldNotBeNull();
    }

    [Fact]
    public async Task The_git_index_gets_no_commit_when_it_stands_as_the_database_says()
    {
        await using var harness = await PublishedAsync();
        var tip = await harness.GitAsync("rev-parse", "master");

        await RebuildAsync(harness, "git");

        (await harness.GitAsync("rev-parse", "master")).ShouldBe(tip);
        (await harness.TextAsync("SELECT result FROM rebuilds")).ShouldStartWith($"tree {(await harness.GitAsync("rev-parse", "master^{tree}")).Trim()}");
    }

    [Fact]
    public async Task A_damaged_git_index_gets_one_commit_with_the_tree_that_stood_before()
    {
        await using var harness = await PublishedAsync();
        var tree = await harness.GitAsync("rev-parse", "master^{tree}");
        await DamageAsync(harness);
        (await harness.GitAsync("rev-parse", "master^{tree}")).ShouldNotBe(tree);

        await RebuildAsync(harness, "git");

        (await harness.GitAsync("rev-parse", "master^{tree}")).ShouldBe(tree);
        (await harness.GitAsync("log", "-1", "--format=%s", "master")).Trim().ShouldBe("Rebuild the index from the registry's database");
        (await harness.GitAsync("fsck", "--strict", "--no-dangling")).ShouldBeEmpty();
        Directory.Exists(Path.Combine(harness.Folder, "index.git.rebuilt")).ShouldBeFalse();
    }

    [Fact]
    public async Task A_git_index_that_is_gone_comes_back_with_the_same_tree()
    {
        await using var harness = await PublishedAsync();
        var tree = await harness.GitAsync("rev-parse", "master^{tree}");
        Directory.Delete(Path.Combine(harness.Folder, "index.git"), recursive: true);

        await RebuildAsync(harness, "git");

        // Only config.json was not the database's: it is the registry's, as every start writes it.
        await harness.EnsureConfigAsync();
        (await harness.GitAsync("rev-parse", "master^{tree}")).ShouldBe(tree);
    }

    [Fact]
    public async Task Into_a_folder_comes_a_repository_with_the_same_tree()
    {
        await using var harness = await PublishedAsync();
        var folder = Path.Combine(harness.Folder, "copy.git");

        await RebuildAsync(harness, "git", folder: folder);

        (await WorkerHarness.GitInAsync(folder, "rev-parse", "master^{tree}")).ShouldBe(await harness.GitAsync("rev-parse", "master^{tree}"));
        (await WorkerHarness.GitInAsync(folder, "rev-list", "--count", "master")).Trim().ShouldBe("1");
    }

    [Fact]
    public async Task A_crate_that_is_committed_while_the_tree_is_made_is_not_taken_back()
    {
        await using var harness = await PublishedAsync();
        await DamageAsync(harness);
        FaultPoints.Set("rebuild.filled", () => MoveAsync(harness).GetAwaiter().GetResult());
        await RebuildAsync(harness, "git");

        (await harness.GitAsync("show", "master:fo/ob/foobar")).ShouldContain("\"yanked\":true");
        (await harness.GitAsync("show", "master:ne/w-/new-crate")).ShouldNotBeEmpty();
    }

    [Theory]
    [InlineData("rebuild.filled")]
    [InlineData("rebuild.swapping")]
    [InlineData("rebuild.swapped")]
    public async Task Cut_off_the_git_index_is_whole_and_the_next_attempt_ends_it(string moment)
    {
        await using var harness = await PublishedAsync();
        var tree = await harness.GitAsync("rev-parse", "master^{tree}");
        await DamageAsync(harness);
        FaultPoints.Set(moment, () => throw FaultyStore.Away);
        await RebuildAsync(harness, "git");

        (await harness.FailuresAsync()).ShouldBe(["transient/store-away"]);
        (await harness.GitAsync("fsck", "--strict", "--no-dangling")).ShouldBeEmpty();

        await harness.DeliverAsync(new Rebuild(1));

        (await harness.GitAsync("rev-parse", "master^{tree}")).ShouldBe(tree);
        (await harness.GitAsync("rev-list", "--count", "master", "--grep", "^Rebuild")).Trim().ShouldBe("1");
    }

    [Fact]
    public async Task A_rebuild_of_what_nobody_knows_fails_and_says_so()
    {
        await using var harness = await PublishedAsync();

        await RebuildAsync(harness, "sparse", crate: "unknown");

        (await harness.FailuresAsync()).ShouldBe(["fault/InvalidOperationException"]);
        (await harness.TextAsync("SELECT state || ': ' || error FROM rebuilds")).ShouldBe("failed: there is no crate unknown");
    }

    [Fact]
    public async Task With_a_remote_the_commit_is_pushed_on_top_of_what_others_left_there_and_their_config_stays()
    {
        var folder = Directory.CreateTempSubdirectory("remote-").FullName;
        var remote = new BareRemote(folder);
        await using (var harness = await PublishedAsync(remote.Repository))
        {
            // In step: nothing but the edit is to be mended.
            await RebuildAsync(harness, "git");
            await harness.ExecuteAsync("DELETE FROM rebuilds");
            var (file, config) = (remote.Show("fo/ob/foobar"), """{"dl":"https://edited.example","api":null}""");
            remote.Edit("By hand", ("config.json", config), ("fo/ob/foobar", "damaged\n"), ("no/bo/nobody", "{}\n"));
            var edited = remote.Tip;

            await RebuildAsync(harness, "git");

            (await harness.TextAsync("SELECT state FROM rebuilds")).ShouldBe("done");
            remote.Show("fo/ob/foobar").ShouldBe(file);
            remote.Show("config.json").ShouldBe(config);
            remote.Files().ShouldNotContain("no/bo/nobody");
            remote.Git("merge-base", "--is-ancestor", edited, "master");
            remote.Tip.ShouldBe((await harness.GitAsync("rev-parse", "master")).Trim());
            remote.ShouldBeSound();
            await harness.DeliverAsync(new CommitIndex());
            (await harness.LongAsync("SELECT count(*) FROM projections WHERE kind = 'git' AND reached < wanted")).ShouldBe(0);
        }

        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task A_remote_that_is_away_puts_the_rebuild_off()
    {
        var folder = Directory.CreateTempSubdirectory("remote-").FullName;
        var remote = new BareRemote(folder);
        await using (var harness = await PublishedAsync(remote.Repository))
        {
            var file = remote.Show("fo/ob/foobar");
            remote.Edit("By hand", ("fo/ob/foobar", "damaged\n"));
            Directory.Move(remote.Repository, remote.Repository + ".away");
            await RebuildAsync(harness, "git");
            (await harness.FailuresAsync()).ShouldBe(["transient/git-remote-away"]);

            Directory.Move(remote.Repository + ".away", remote.Repository);
            await harness.DeliverAsync(new Rebuild(1));

            (await StateAsync(harness)).ShouldBe("done 3 of 3");
            remote.Show("fo/ob/foobar").ShouldBe(file);
        }

        Directory.Delete(folder, recursive: true);
    }

    private static async Task<WorkerHarness> PublishedAsync(string? remote = null)
    {
        var harness = await WorkerHarness.StartAsync(Queues, gitRemote: remote);
        await harness.EnsureConfigAsync();
        foreach (var (name, versions) in new[] { ("foobar", 2), ("barbaz", 1), ("gone-crate", 1) })
        {
            for (var i = 0; i < versions; i++) await harness.RecordAsync(name, $"1.{i}.0");
        }

        await harness.ExecuteAsync("UPDATE crates SET state = 'deleted' WHERE name = 'gone-crate'");
        await harness.RenderAllAsync();
        return harness;
    }

    // Yanks one crate and publishes another, shown by both indexes.
    private static async Task MoveAsync(WorkerHarness harness)
    {
        await harness.ExecuteAsync("UPDATE versions SET yanked = TRUE WHERE num = '1.1.0'");
        await harness.Database.WriteAsync(static sql => Revisions.BumpAsync(sql, 1, "yank", "1.1.0"));
        await harness.RecordAsync("new-crate", "1.0.0");
        await harness.RenderAllAsync();
    }

    private static async Task DamageAsync(WorkerHarness harness) => await harness.CommitAsync([("fo/ob/foobar", "damaged\n"), ("no/bo/nobody", "{}\n")], ["ba/rb/barbaz"]);

    private static async Task RebuildAsync(WorkerHarness harness, string kind, string? crate = null, string? folder = null)
    {
        var row = await harness.Database.WriteAsync(sql => RebuildRows.AskAsync(sql, kind, crate, folder, 1));
        await harness.DeliverAsync(new Rebuild(row.Id));
    }

    private static async Task<string> StateAsync(WorkerHarness harness) => (await harness.TextAsync("SELECT state || ' ' || done || ' of ' || total FROM rebuilds WHERE id = 1"))!;

    private static async Task<string> SparseAsync(WorkerHarness harness)
    {
        var files = new List<string>();
        foreach (var key in (await harness.ObjectsAsync()).Where(key => key.StartsWith("index/", StringComparison.Ordinal))) files.Add($"{key}={await harness.ReadAsync(key)}");
        return string.Join('\n', files);
    }
}
