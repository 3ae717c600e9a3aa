using System.Diagnostics;
using Pipeline.Registry.Failures;
using Pipeline.Registry.Truth;
using Pipeline.Workers.GitIndex;

namespace Pipeline.Workers.Tests.GitIndex;

public sealed class GitIndexWriterTests : IAsyncLifetime
{
    private IndexedRegistry _registry = null!;

    public async ValueTask InitializeAsync() => _registry = await IndexedRegistry.CreateAsync();

    public ValueTask DisposeAsync() => _registry.DisposeAsync();

    [Fact]
    public async Task A_batch_is_one_commit_per_crate_in_change_order_with_the_files_of_the_database()
    {
        var zeta = await _registry.PublishAsync("Zeta-x", "1.0.0");
        await _registry.PublishAsync("a", "0.1.0");
        await _registry.PublishAsync("Zeta-x", "1.1.0");
        (await _registry.DrainAsync()).ShouldBe(2);
        await _registry.YankAsync(zeta, "1.0.0", true);
        (await _registry.DrainAsync()).ShouldBe(1);

        _registry.Index.Messages().ShouldBe(["Create crate `Zeta-x`", "Create crate `a`", "Update crate `Zeta-x`"]);
        _registry.Index.Tree().ShouldBe(
            """
            1/a={"name":"a","vers":"0.1.0","yanked":false}
            ze/ta/zeta-x={"name":"Zeta-x","vers":"1.0.0","yanked":true}
            {"name":"Zeta-x","vers":"1.1.0","yanked":false}

            """);
        (await _registry.RowAsync(zeta, "reached")).ShouldBe("3");
        (await _registry.RowAsync(zeta, "path")).ShouldBe("ze/ta/zeta-x");
        (await _registry.RowAsync(zeta, "behind_since")).ShouldBeNull();
        _registry.Index.ShouldBeSound();
    }

    [Fact]
    public async Task The_file_has_the_bytes_that_the_other_projections_render()
    {
        var crate = await _registry.PublishAsync("abc", "1.0.0");
        await _registry.PublishAsync("abc", "0.9.0");
        await _registry.DeleteVersionAsync(crate, "1.0.0");
        await _registry.PublishAsync("abc", "1.0.0");
        await _registry.DrainAsync();
        var snapshot = await _registry.Truth.Database.ReadAsync(sql => IndexLines.ReadAsync(sql, crate));
        _registry.Index.Git("show", "master:3/a/abc").ShouldBe(System.Text.Encoding.UTF8.GetString(snapshot!.Content!));
    }

    [Fact]
    public async Task Redelivery_makes_no_second_commit()
    {
        var crate = await _registry.PublishAsync("serde", "1.0.0");
        await _registry.DrainAsync();
        (await _registry.DrainAsync()).ShouldBe(0);

        // As after a crash between the commit and the note of it.
        await _registry.ForgetAsync(crate);
        (await _registry.DrainAsync()).ShouldBe(1);
        (await _registry.RowAsync(crate, "reached")).ShouldBe("1");
        (await _registry.RowAsync(crate, "path")).ShouldBe("se/rd/serde");
        _registry.Index.Messages().Length.ShouldBe(1);
    }

    [Fact]
    public async Task A_change_that_the_file_does_not_show_makes_no_commit_and_is_reached()
    {
        var crate = await _registry.PublishAsync("serde", "1.0.0");
        await _registry.DrainAsync();
        await _registry.ChangeOwnersAsync(crate);
        await _registry.DrainAsync();
        await _registry.YankAsync(crate, "1.0.0", true);
        await _registry.YankAsync(crate, "1.0.0", false);
        await _registry.DrainAsync();
        (await _registry.RowAsync(crate, "reached")).ShouldBe("4");
        _registry.Index.Messages().Length.ShouldBe(1);
    }

    [Fact]
    public async Task A_deleted_crate_and_one_without_versions_lose_their_files()
    {
        var one = await _registry.PublishAsync("one", "1.0.0");
        var two = await _registry.PublishAsync("twoo", "1.0.0");
        await _registry.DrainAsync();
        await _registry.DeleteAsync(one);
        await _registry.DeleteVersionAsync(two, "1.0.0");
        await _registry.DeleteAsync(await _registry.PublishAsync("never-seen", "1.0.0"));
        (await _registry.DrainAsync()).ShouldBe(3);

        _registry.Index.Tree().ShouldBe("");
        _registry.Index.Messages()[2..].ShouldBe(["Delete crate `one`", "Delete crate `twoo`"]);
        (await _registry.RowAsync(one, "path")).ShouldBeNull();
        (await _registry.LaggingAsync()).ShouldBe(0);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_crate_that_comes_back_in_another_spelling_leaves_no_old_file(bool diedBeforeTheNote)
    {
        var crate = await _registry.PublishAsync("Foo-Bar", "1.0.0");
        await _registry.DrainAsync();
        if (diedBeforeTheNote) await _registry.ForgetAsync(crate);
        await _registry.DeleteAsync(crate);
        (await _registry.PublishAsync("foo_bar", "1.0.0")).ShouldBe(crate);
        await _registry.DrainAsync();

        _registry.Index.Tree().ShouldBe("fo/o_/foo_bar={\"name\":\"foo_bar\",\"vers\":\"1.0.0\",\"yanked\":false}\n");
        _registry.Index.Messages().ShouldBe(["Create crate `Foo-Bar`", "Create crate `foo_bar`"]);
        (await _registry.RowAsync(crate, "path")).ShouldBe("fo/o_/foo_bar");
    }

    [Fact]
    public async Task A_change_while_git_writes_is_not_taken_for_written_and_keeps_its_place()
    {
        var crate = await _registry.PublishAsync("serde", "1.0.0");
        var seen = new List<string?>();
        // The committer's date is asked for once per batch, between the reading of the rows and the commit.
        var clock = new AskedClock(call =>
        {
            seen.Add($"{_registry.RowAsync(crate, "reached").AsTask().GetAwaiter().GetResult()} {_registry.RowAsync(crate, "first_change").AsTask().GetAwaiter().GetResult()}");
            if (call > 1) return;
            _registry.PublishAsync("serde", "1.1.0").AsTask().GetAwaiter().GetResult();
            _registry.YankAsync(crate, "1.0.0", true).GetAwaiter().GetResult();
        });
        (await _registry.DrainAsync(clock)).ShouldBe(2);

        seen.ShouldBe(["0 1", "1 2"]);
        (await _registry.RowAsync(crate, "reached")).ShouldBe("3");
        _registry.Index.Messages().ShouldBe(["Create crate `serde`", "Update crate `serde`"]);
    }

    [Theory]
    [InlineData("impossible/../name", "index path")]
    [InlineData("UPDATE projections SET wanted = 9", "revision 9 is wanted")]
    public async Task A_row_that_cannot_be_rendered_is_set_aside_and_never_its_batch(string mischief, string error)
    {
        var bad = await _registry.PublishAsync("bad", "1.0.0");
        if (mischief.StartsWith("UPDATE", StringComparison.Ordinal)) await _registry.Truth.ExecuteAsync(mischief);
        else await _registry.Truth.ExecuteAsync("UPDATE crates SET name = $1", mischief);
        await _registry.PublishAsync("good", "1.0.0");

        (await _registry.DrainAsync()).ShouldBe(1);
        _registry.Index.Messages().ShouldBe(["Create crate `good`"]);
        (await _registry.RowAsync(bad, "attempts")).ShouldBe("1");
        (await _registry.RowAsync(bad, "last_error"))!.ShouldContain(error);
        (await OpenFailuresAsync()).ShouldBe(1);
        (await _registry.DrainAsync()).ShouldBe(0);

        await _registry.Truth.ExecuteAsync("UPDATE crates SET name = 'bad', revision = (SELECT max(wanted) FROM projections WHERE crate_id = $1) WHERE id = $1", bad);
        _registry.Truth.Clock.Advance(TimeSpan.FromMinutes(1));
        (await _registry.DrainAsync()).ShouldBe(1);
        _registry.Index.Messages().ShouldBe(["Create crate `good`", "Create crate `bad`"]);
        (await _registry.RowAsync(bad, "attempts")).ShouldBe("0");
        (await OpenFailuresAsync()).ShouldBe(0);
    }

    [Fact]
    public async Task A_commit_that_git_refuses_is_found_among_many_and_set_aside()
    {
        var names = Enumerable.Range(0, 20).Select(i => $"crate-{i:00}").ToList();
        foreach (var name in names) await _registry.PublishAsync(name, "1.0.0", head: name == "crate-13" ? "{\"x\":\"poison\",\"yanked\":" : null);
        _registry.Index.RefuseCommitsWith("poison");

        (await _registry.DrainAsync()).ShouldBe(19);
        _registry.Index.Messages().ShouldBe(names.Where(name => name != "crate-13").Select(name => $"Create crate `{name}`"));
        (await _registry.LaggingAsync()).ShouldBe(1);
        (await OpenFailuresAsync()).ShouldBe(1);
        _registry.Index.ShouldBeSound();
    }

    [Fact]
    public async Task What_a_newer_version_needs_is_committed_before_it_though_its_crate_lagged_first()
    {
        await _registry.PublishAsync("first", "1.0.0");
        await _registry.PublishAsync("deep-down", "1.0.0");
        await _registry.PublishAsync("Later-One", "1.0.0", head: Line("Later-One", "1.0.0", "deep_down"));
        await _registry.PublishAsync("first", "1.1.0", head: Line("first", "1.1.0", "later_one"));

        await _registry.DrainAsync();

        _registry.Index.Messages().ShouldBe(["Create crate `deep-down`", "Create crate `Later-One`", "Create crate `first`"]);
    }

    [Fact]
    public async Task What_it_needs_from_behind_the_pages_end_is_taken_along_and_not_taken_again()
    {
        var first = await _registry.PublishAsync("first", "1.0.0");
        await _registry.PublishAsync("large", "1.0.0", head: new string('x', 5000));
        var needed = await _registry.PublishAsync("needed", "1.0.0");
        await _registry.PublishAsync("first", "1.1.0", head: Line("first", "1.1.0", "needed"));
        var lagging = new LaggingCrates(_registry.Truth.Database, maxBytes: 1000);

        var page = await lagging.NextAsync(LaggingCrates.Position.Start, new HashSet<long>(), default);
        var next = await lagging.NextAsync(page.End!.Value, page.Ahead, default);

        CommitOrder.Of(page.Crates, page.Ahead).Select(crate => crate.CrateId).ShouldBe([needed, first]);
        next.Crates.Select(crate => crate.Name).ShouldBe(["large"]);
    }

    [Fact]
    public async Task Crates_that_need_each_other_keep_the_order_of_their_changes()
    {
        await _registry.PublishAsync("one", "1.0.0");
        await _registry.PublishAsync("two", "1.0.0", head: Line("two", "1.0.0", "one"));
        await _registry.PublishAsync("two", "1.1.0");
        await _registry.PublishAsync("one", "1.1.0", head: Line("one", "1.1.0", "two"));

        (await _registry.DrainAsync()).ShouldBe(2);

        _registry.Index.Messages().Length.ShouldBe(2);
    }

    private static string Line(string name, string version, string needs) =>
        $$"""{"name":"{{name}}","vers":"{{version}}","deps":[{"name":"alias","package":"{{needs}}"},{"name":"elsewhere","registry":"https://example.org/index"}],"yanked":""";

    [Fact]
    public async Task A_crate_of_a_namespace_has_no_file_and_touches_none()
    {
        await _registry.PublishAsync("serde", "1.0.0");
        await _registry.DrainAsync();
        var inside = await _registry.PublishAsync("serde", "1.0.0", @namespace: "example.org");
        (await _registry.DrainAsync()).ShouldBe(1);
        (await _registry.RowAsync(inside, "reached")).ShouldBe("1");
        _registry.Index.Messages().ShouldBe(["Create crate `serde`"]);
    }

    [Fact]
    public async Task A_mirrored_crates_file_is_its_upstreams_unchanged()
    {
        var crate = await _registry.PublishAsync("serde", "1.0.0");
        await _registry.Truth.ExecuteAsync("UPDATE crates SET upstream_file = $1 WHERE id = $2", "as it came\r\n"u8.ToArray(), crate);
        await _registry.DrainAsync();
        _registry.Index.Git("show", "master:se/rd/serde").ShouldBe("as it came\r\n");
    }

    [Fact]
    public async Task A_page_is_cut_at_its_bound_and_no_crate_overtakes_the_one_that_did_not_fit()
    {
        await _registry.PublishAsync("small", "1.0.0");
        await _registry.PublishAsync("large", "1.0.0", head: new string('x', 5000));
        await _registry.PublishAsync("small-too", "1.0.0");
        var lagging = new LaggingCrates(_registry.Truth.Database, maxBytes: 1000);

        (await lagging.NextAsync(LaggingCrates.Position.Start, default)).Crates.Select(crate => crate.Name).ShouldBe(["small"]);
        await _registry.Truth.ExecuteAsync("UPDATE projections SET reached = wanted WHERE crate_id = 1");
        var alone = (await lagging.NextAsync(LaggingCrates.Position.Start, default)).Crates.ShouldHaveSingleItem();
        alone.Content!.Length.ShouldBe(5000 + "false}\n".Length);
    }

    [Fact]
    public async Task A_backlog_of_many_pages_is_committed_once_each_and_in_order()
    {
        var names = Enumerable.Range(0, (2 * LaggingCrates.MaxPage) + 100).Select(i => $"crate-{i:0000}").ToList();
        await _registry.PublishAsync(names);
        await _registry.Truth.ExecuteAsync("UPDATE crates SET name = 'bad name' WHERE name = 'crate-0999'");
        // While the first page is written, a crate of each page changes once more.
        var clock = new AskedClock(call =>
        {
            if (call > 1) return;
            foreach (var name in new[] { "crate-0001", "crate-1001", "crate-2001" }) _registry.PublishAsync(name, "1.1.0").AsTask().GetAwaiter().GetResult();
        });

        await _registry.DrainAsync(clock);
        (await _registry.LaggingAsync()).ShouldBe(1);
        var messages = _registry.Index.Messages();
        messages.Where(message => message.StartsWith("Create", StringComparison.Ordinal)).ShouldBe(names.Where(name => name != "crate-0999").Select(name => $"Create crate `{name}`"));
        messages.ShouldContain("Update crate `crate-0001`");
        _registry.Index.Git("show", "master:cr/at/crate-1001", "master:cr/at/crate-2001").Split('\n').Length.ShouldBe(5);
        _registry.Index.ShouldBeSound();
    }

    [Fact]
    public async Task Batches_keep_the_least_time_apart_when_one_is_set()
    {
        _registry.Index.Options = _registry.Index.Options with { GatherSeconds = 0.3 };
        using var repository = _registry.Index.Open();
        var writer = _registry.Writer(repository);
        await _registry.PublishAsync("one", "1.0.0");
        var begun = Stopwatch.GetTimestamp();
        await writer.DrainAsync(TestContext.Current.CancellationToken);
        await _registry.PublishAsync("two", "1.0.0");
        await writer.DrainAsync(TestContext.Current.CancellationToken);
        Stopwatch.GetElapsedTime(begun).ShouldBeGreaterThan(TimeSpan.FromMilliseconds(300));
    }

    [Fact]
    public async Task A_failing_git_leaves_the_rows_for_the_next_time()
    {
        await _registry.PublishAsync("serde", "1.0.0");
        await _registry.DrainAsync();
        await _registry.PublishAsync("serde", "1.1.0");
        _registry.Index.Options = _registry.Index.Options with { Program = "/no/such/git" };
        (await Should.ThrowAsync<TransientException>(() => _registry.DrainAsync())).Code.ShouldBe("git-away");
        (await _registry.LaggingAsync()).ShouldBe(1);
        _registry.Index.Options = _registry.Index.Options with { Program = "git" };
        (await _registry.DrainAsync()).ShouldBe(1);
    }

    private ValueTask<long?> OpenFailuresAsync() => _registry.Truth.LongAsync("SELECT COUNT(*) FROM failures WHERE resolved_at IS NULL AND stage = 'commit-index'");

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
