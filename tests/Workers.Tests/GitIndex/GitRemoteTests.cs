using Pipeline.Registry.Failures;
using Pipeline.Registry.Tests.Git;

namespace Pipeline.Workers.Tests.GitIndex;

/// <summary>The index and its remote: what the remote has confirmed is reached, what others did there is built upon.</summary>
public sealed class GitRemoteTests : IAsyncLifetime
{
    private const string Url = "http://registry.example";
    private static readonly CancellationToken None = TestContext.Current.CancellationToken;
    private IndexedRegistry _registry = null!;
    private BareRemote _remote = null!;

    public async ValueTask InitializeAsync()
    {
        _registry = await IndexedRegistry.CreateAsync();
        _remote = new BareRemote(_registry.Truth.Folder);
        _registry.Index.Options = _registry.Index.Options with { Remote = _remote.Repository };
        await _registry.Truth.ExecuteAsync("INSERT INTO registry (id, epoch, created_at, public_url) VALUES (1, 'e', 0, $1)", Url);
    }

    public ValueTask DisposeAsync() => _registry.DisposeAsync();

    [Fact]
    public async Task A_batch_is_one_push_and_the_branch_shows_what_the_remote_has_confirmed()
    {
        _remote.Hook("post-receive", "cat >> pushes");
        await _registry.PublishAsync([.. Enumerable.Range(0, 20).Select(i => $"crate-{i:00}")]);
        (await _registry.DrainAsync()).ShouldBe(20);

        _remote.Messages().ShouldBe(["Add config.json", .. Enumerable.Range(0, 20).Select(i => $"Create crate `crate-{i:00}`")]);
        _remote.Show("config.json").ShouldContain($"\"api\": \"{Url}\"");
        (await _registry.LaggingAsync()).ShouldBe(0);
        // One for config.json, which a new remote lacks, one for the batch.
        File.ReadAllLines(Path.Combine(_remote.Repository, "pushes")).Length.ShouldBe(2);
        _registry.Index.Git("rev-parse", "master").Trim().ShouldBe(_remote.Tip);
        (await TipAsync()).ShouldBe(_remote.Tip);
        _remote.ShouldBeSound();
    }

    [Fact]
    public async Task A_remote_without_crates_gets_its_config_and_nothing_twice()
    {
        (await _registry.DrainAsync()).ShouldBe(0);
        (await _registry.DrainAsync()).ShouldBe(0);
        _remote.Messages().ShouldBe(["Add config.json"]);
    }

    [Fact]
    public async Task Until_the_registrys_url_is_known_there_is_no_config_and_crates_are_shown_all_the_same()
    {
        await _registry.Truth.ExecuteAsync("UPDATE registry SET public_url = NULL");
        using var repository = _registry.Index.Open(_registry.Truth.Clock);
        var writer = _registry.Writer(repository);
        await _registry.PublishAsync("serde", "1.0.0");
        (await writer.DrainAsync(None)).ShouldBe(1);
        _remote.Messages().ShouldBe(["Create crate `serde`"]);
        await _registry.Truth.ExecuteAsync("UPDATE registry SET public_url = $1", Url);
        (await writer.DrainAsync(None)).ShouldBe(0);
        _remote.Messages().ShouldBe(["Create crate `serde`", "Add config.json"]);
        (await TipAsync()).ShouldBe(_remote.Tip);
    }

    [Fact]
    public async Task What_others_changed_in_config_json_survives_and_is_built_upon()
    {
        using var repository = _registry.Index.Open(_registry.Truth.Clock);
        var writer = _registry.Writer(repository);
        await _registry.PublishAsync("serde", "1.0.0");
        await writer.DrainAsync(None);
        _remote.Edit("By hand", ("config.json", "{\"dl\":\"https://cdn.example/\"}\n"), ("README.md", "hello\n"));

        await _registry.PublishAsync("serde", "1.1.0");
        (await writer.DrainAsync(None)).ShouldBe(1);

        _remote.Messages().ShouldBe(["Add config.json", "Create crate `serde`", "By hand", "Update crate `serde`"]);
        _remote.Show("config.json").ShouldBe("{\"dl\":\"https://cdn.example/\"}\n");
        _remote.Files().ShouldBe(["README.md", "config.json", "se/rd/serde"]);
        _remote.ShouldBeSound();
    }

    [Fact]
    public async Task What_others_changed_in_index_files_gives_way_to_the_database_whether_or_not_the_crate_lagged()
    {
        using var repository = _registry.Index.Open(_registry.Truth.Clock);
        var writer = _registry.Writer(repository);
        foreach (var name in (string[])["serde", "Tokio-Util", "gone-by"]) await _registry.PublishAsync(name, "1.0.0");
        await writer.DrainAsync(None);
        _remote.Edit("By hand", ("se/rd/serde", "{\"name\":\"serde\",\"vers\":\"6.6.6\"}\n"), ("to/ki/tokio-util", "nonsense\n"), ("go/ne/gone-by", null), ("config.json", "{}\n"));

        await _registry.PublishAsync("serde", "1.1.0");
        await writer.DrainAsync(None);

        _remote.Show("se/rd/serde").ShouldBe("{\"name\":\"serde\",\"vers\":\"1.0.0\",\"yanked\":false}\n{\"name\":\"serde\",\"vers\":\"1.1.0\",\"yanked\":false}\n");
        _remote.Show("to/ki/tokio-util").ShouldBe("{\"name\":\"Tokio-Util\",\"vers\":\"1.0.0\",\"yanked\":false}\n");
        _remote.Files().ShouldBe(["config.json", "go/ne/gone-by", "se/rd/serde", "to/ki/tokio-util"]);
        _remote.Show("config.json").ShouldBe("{}\n");
        (await _registry.LaggingAsync()).ShouldBe(0);
        _remote.ShouldBeSound();
    }

    [Fact]
    public async Task A_remote_that_moves_while_git_writes_is_fetched_and_everything_is_decided_anew()
    {
        await _registry.PublishAsync("one", "1.0.0");
        await _registry.DrainAsync();
        foreach (var name in (string[])["two", "three"]) await _registry.PublishAsync(name, "1.0.0");
        // The committer's date is asked for once per batch, after it was decided.
        var clock = new AskedClock(call =>
        {
            if (call == 1) _remote.Edit("By hand", ("config.json", "{}\n"), ("3/t/two", "{\"name\":\"two\",\"vers\":\"1.0.0\",\"yanked\":false}\n"));
        });
        (await _registry.DrainAsync(clock)).ShouldBe(2);

        // The hand was right about `two`, so there is nothing left to commit for it.
        _remote.Messages().ShouldBe(["Add config.json", "Create crate `one`", "By hand", "Create crate `three`"]);
        (await _registry.LaggingAsync()).ShouldBe(0);
        _remote.ShouldBeSound();
    }

    [Fact]
    public async Task A_remote_that_never_rests_is_a_transient_failure_and_nothing_is_lost()
    {
        await _registry.PublishAsync("one", "1.0.0");
        await _registry.DrainAsync();
        await _registry.PublishAsync("two", "1.0.0");
        var edits = 0;
        var clock = new AskedClock(_ => _remote.Edit("By hand", ("config.json", $"{{\"edit\":{++edits}}}\n")));
        (await Should.ThrowAsync<TransientException>(() => _registry.DrainAsync(clock))).Code.ShouldBe("git-remote-moving");
        (await _registry.LaggingAsync()).ShouldBe(1);
        (await _registry.DrainAsync()).ShouldBe(1);
        _remote.Messages()[^1].ShouldBe("Create crate `two`");
        _remote.ShouldBeSound();
    }

    [Fact]
    public async Task A_push_that_a_hook_refuses_reaches_nothing_and_says_why()
    {
        await _registry.DrainAsync();
        _remote.Hook("pre-receive", "echo 'the quota is used up' >&2; exit 1");
        await _registry.PublishAsync("serde", "1.0.0");
        var refused = await Should.ThrowAsync<TransientException>(() => _registry.DrainAsync());
        refused.Code.ShouldBe("git-remote-refused");
        refused.Message.ShouldContain("pre-receive hook declined");
        refused.Message.ShouldContain("the quota is used up");
        (await _registry.LaggingAsync()).ShouldBe(1);
        _registry.Index.Git("rev-parse", "master").Trim().ShouldBe(_remote.Tip);

        _remote.Hook("pre-receive", null);
        (await _registry.DrainAsync()).ShouldBe(1);
        _remote.Messages().ShouldBe(["Add config.json", "Create crate `serde`"]);
    }

    [Fact]
    public async Task While_the_remote_is_away_the_rows_wait_and_when_it_comes_back_they_drain()
    {
        using var repository = _registry.Index.Open(_registry.Truth.Clock);
        var writer = _registry.Writer(repository);
        await _registry.PublishAsync("one", "1.0.0");
        await writer.DrainAsync(None);
        Directory.Move(_remote.Repository, _remote.Repository + ".away");
        for (var i = 0; i < 3; i++)
        {
            await _registry.PublishAsync($"more-{i}", "1.0.0");
            (await Should.ThrowAsync<TransientException>(() => writer.DrainAsync(None))).Code.ShouldBe("git-remote-away");
        }

        (await _registry.LaggingAsync()).ShouldBe(3);
        Directory.Move(_remote.Repository + ".away", _remote.Repository);
        (await writer.DrainAsync(None)).ShouldBe(3);
        _remote.Messages()[^3..].ShouldBe(["Create crate `more-0`", "Create crate `more-1`", "Create crate `more-2`"]);
        _remote.ShouldBeSound();
    }

    [Theory]
    [InlineData("git.adopted")]
    [InlineData("git.committed")]
    [InlineData("git.committed", 2)]
    [InlineData("git.pushed")]
    [InlineData("git.pushed", 2)]
    [InlineData("git.reached")]
    public async Task A_writer_that_dies_between_two_steps_loses_and_doubles_nothing(string point, int passage = 1)
    {
        var names = Enumerable.Range(0, 1100).Select(i => $"crate-{i:0000}").ToList();
        await _registry.PublishAsync(names);
        using (var writer = SecondProcess.Start("drain", _registry.Truth.Folder, _registry.Truth.Settings, ("PIPELINE_DIE_AT", $"{point}:{passage}"), ("GIT_REMOTE", _remote.Repository)))
        {
            await writer.WaitForExitAsync(None);
            writer.ExitCode.ShouldBe(128 + 9);
        }

        await _registry.DrainAsync();
        (await _registry.LaggingAsync()).ShouldBe(0);
        _remote.Messages().ShouldBe(["Add config.json", .. names.Select(name => $"Create crate `{name}`")]);
        (await TipAsync()).ShouldBe(_remote.Tip);
        _remote.ShouldBeSound();
    }

    [Fact]
    public async Task A_killed_holders_push_goes_on_alone_and_its_successor_on_the_machine_waits_for_it()
    {
        await _registry.PublishAsync("serde", "1.0.0");
        await _registry.DrainAsync();
        _remote.Hook("pre-receive", $": > '{_registry.Truth.Folder}/fed'; while [ ! -e '{_registry.Truth.Folder}/go' ]; do sleep 0.02; done");
        await _registry.PublishAsync("serde", "1.1.0");
        using (var holder = SecondProcess.Start("drain", _registry.Truth.Folder, _registry.Truth.Settings, ("GIT_REMOTE", _remote.Repository)))
        {
            using var watch = CancellationTokenSource.CreateLinkedTokenSource(None);
            watch.CancelAfter(TimeSpan.FromSeconds(60));
            while (!File.Exists(Path.Combine(_registry.Truth.Folder, "fed"))) await Task.Delay(10, watch.Token);
            holder.Kill();
            await holder.WaitForExitAsync(None);
        }

        await _registry.PublishAsync("tokio", "1.0.0");
        var next = _registry.DrainAsync();
        await Should.ThrowAsync<TimeoutException>(() => next.WaitAsync(TimeSpan.FromMilliseconds(200), None));
        File.WriteAllText(Path.Combine(_registry.Truth.Folder, "go"), "");
        (await next).ShouldBe(2);
        _remote.Messages().ShouldBe(["Add config.json", "Create crate `serde`", "Update crate `serde`", "Create crate `tokio`"]);
        _remote.ShouldBeSound();
    }

    [Fact]
    public async Task Holders_in_turn_each_with_a_clone_of_its_own_build_on_each_other()
    {
        using var elsewhere = new IndexFolder();
        elsewhere.Options = elsewhere.Options with { Remote = _remote.Repository };
        await _registry.Truth.ExecuteAsync("INSERT INTO processes (id, roles, started_at, seen_at) VALUES ('first', 'git', 0, 0), ('second', 'git', 0, 0)");
        using var here = _registry.Index.Open(_registry.Truth.Clock);
        using var there = elsewhere.Open(_registry.Truth.Clock);
        var first = _registry.Writer(here, "first");
        var second = IndexedRegistry.Writer(_registry.Truth.Database, there, elsewhere.Options, "second", TimeProvider.System);

        var expected = new List<string> { "Add config.json" };
        for (var round = 0; round < 3; round++)
        {
            foreach (var writer in new[] { first, second })
            {
                await _registry.Truth.ExecuteAsync("UPDATE leases SET until = 0, fence = fence + 1, process = 'nobody'");
                var name = $"crate-{expected.Count:00}";
                await _registry.PublishAsync(name, "1.0.0");
                (await writer.DrainAsync(None)).ShouldBe(1);
                expected.Add($"Create crate `{name}`");
            }
        }

        _remote.Messages().ShouldBe(expected);
        _remote.ShouldBeSound();
    }

    [Fact]
    public async Task Who_lost_the_lease_while_git_wrote_cannot_push_over_its_successor_and_notes_nothing()
    {
        using var elsewhere = new IndexFolder();
        elsewhere.Options = elsewhere.Options with { Remote = _remote.Repository };
        await _registry.PublishAsync("one", "1.0.0");
        await _registry.DrainAsync();
        await _registry.PublishAsync("two", "1.0.0");
        var clock = new AskedClock(call =>
        {
            if (call > 1) return;
            // While its git writes: another process takes the lease, another version comes, and the other brings both out first.
            _registry.Truth.ExecuteAsync("UPDATE leases SET process = 'second', fence = fence + 1").AsTask().GetAwaiter().GetResult();
            _registry.PublishAsync("two", "1.1.0").AsTask().GetAwaiter().GetResult();
            using var there = elsewhere.Open(_registry.Truth.Clock);
            IndexedRegistry.Writer(_registry.Truth.Database, there, elsewhere.Options, "second", TimeProvider.System).DrainAsync(None).GetAwaiter().GetResult().ShouldBe(1);
        });
        (await _registry.DrainAsync(clock)).ShouldBe(0);

        _remote.Messages().ShouldBe(["Add config.json", "Create crate `one`", "Create crate `two`"]);
        _remote.Show("3/t/two").Split('\n').Length.ShouldBe(3);
        (await _registry.LaggingAsync()).ShouldBe(0);
        _remote.ShouldBeSound();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_remote_that_was_set_back_or_emptied_is_brought_up_to_the_database_again(bool emptied)
    {
        using var repository = _registry.Index.Open(_registry.Truth.Clock);
        var writer = _registry.Writer(repository);
        foreach (var name in (string[])["one", "two", "three"])
        {
            await _registry.PublishAsync(name, "1.0.0");
            await writer.DrainAsync(None);
        }

        if (emptied) _remote.Git("update-ref", "-d", "refs/heads/master");
        else _remote.Git("update-ref", "refs/heads/master", "master~2");
        await _registry.PublishAsync("four", "1.0.0");
        await writer.DrainAsync(None);

        _remote.Files().ShouldBe(["3/o/one", "3/t/two", "config.json", "fo/ur/four", "th/re/three"]);
        (await _registry.LaggingAsync()).ShouldBe(0);
        (await TipAsync()).ShouldBe(_remote.Tip);
        _remote.ShouldBeSound();
    }

    [Fact]
    public async Task A_clone_that_was_lost_is_made_anew_and_nothing_is_committed_again()
    {
        await _registry.PublishAsync("one", "1.0.0");
        await _registry.DrainAsync();
        Directory.Delete(_registry.Index.Repository, recursive: true);
        await _registry.PublishAsync("two", "1.0.0");
        await _registry.DrainAsync();
        _remote.Messages().ShouldBe(["Add config.json", "Create crate `one`", "Create crate `two`"]);
        _remote.ShouldBeSound();
    }

    [Fact]
    public async Task An_index_that_had_no_remote_brings_its_history_along()
    {
        _registry.Index.Options = _registry.Index.Options with { Remote = null };
        await _registry.PublishAsync("one", "1.0.0");
        await _registry.DrainAsync();
        _registry.Index.Options = _registry.Index.Options with { Remote = _remote.Repository };
        await _registry.PublishAsync("two", "1.0.0");
        await _registry.DrainAsync();
        _remote.Messages().ShouldBe(["Create crate `one`", "Add config.json", "Create crate `two`"]);
        (await _registry.LaggingAsync()).ShouldBe(0);
    }

    [Fact]
    public async Task A_remote_with_a_past_of_its_own_is_built_upon()
    {
        _remote.Edit("An index from elsewhere", ("config.json", "{\"theirs\":true}\n"), ("3/o/old", "kept\n"));
        await _registry.PublishAsync("one", "1.0.0");
        await _registry.DrainAsync();
        _remote.Messages().ShouldBe(["An index from elsewhere", "Create crate `one`"]);
        _remote.Show("config.json").ShouldBe("{\"theirs\":true}\n");
    }

    [Fact]
    public async Task A_push_that_does_not_end_is_ended_with_all_its_children_and_tried_again()
    {
        await _registry.DrainAsync();
        _registry.Index.StallPushes();
        _registry.Index.Options = _registry.Index.Options with { RemoteSeconds = 1 };
        await _registry.PublishAsync("serde", "1.0.0");
        (await Should.ThrowAsync<TransientException>(() => _registry.DrainAsync())).Code.ShouldBe("git-slow");
        var child = File.ReadAllText(Path.Combine(_registry.Truth.Folder, "pid")).Trim();
        using var watch = CancellationTokenSource.CreateLinkedTokenSource(None);
        watch.CancelAfter(TimeSpan.FromSeconds(60));
        while (IsRunning(child)) await Task.Delay(10, watch.Token);

        _registry.Index.Options = _registry.Index.Options with { Program = "git" };
        (await _registry.DrainAsync()).ShouldBe(1);
    }

    // A process that has ended and was not yet collected, by whoever collects orphans here, still has its folder.
    private static bool IsRunning(string process)
    {
        try
        {
            return !File.ReadAllText($"/proc/{process}/stat").Contains(") Z ", StringComparison.Ordinal);
        }
        catch (IOException)
        {
            return false;
        }
    }

    private ValueTask<string?> TipAsync() => _registry.Truth.TextAsync("SELECT tip FROM git_index");

    private sealed class AskedClock(Action<int> asked) : TimeProvider
    {
        private int _calls;

        public override DateTimeOffset GetUtcNow()
        {
            asked(++_calls);
            return DateTimeOffset.UnixEpoch;
        }
    }
}
