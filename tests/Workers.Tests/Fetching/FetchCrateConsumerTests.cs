using Pipeline.Contracts.Search;
using Pipeline.Contracts.Upkeep;
using Pipeline.Contracts.Upstream;
using Pipeline.Registry.Identity;
using Pipeline.Registry.Options;
using Pipeline.Registry.Upstreams;
using Pipeline.Workers.Tests.Harness;
using static Pipeline.Workers.Tests.Fetching.FetchFixture;

namespace Pipeline.Workers.Tests.Fetching;

/// <summary>Fetching the files of mirrored crates.</summary>
public sealed class FetchCrateConsumerTests
{
    [Fact]
    public async Task A_full_mirror_has_every_file_that_its_index_names()
    {
        await using var mirror = await StartAsync();
        var archives = await mirror.ServeAsync("one", "two", "three");

        await mirror.FetchAsync();

        foreach (var (name, archive) in archives)
        {
            (await mirror.StateAsync(name)).ShouldBe("kept");
            (await mirror.BytesAsync(name, archive)).ShouldBe(archive);
        }

        (await mirror.Harness.LongAsync("SELECT SUM(size) FROM upstream_files")).ShouldBe(archives.Values.Sum(static archive => archive.Length));
        mirror.Files.Asked.Count.ShouldBe(3);
    }

    [Fact]
    public async Task A_second_bell_fetches_nothing_again_and_a_new_version_alone()
    {
        await using var mirror = await StartAsync();
        var first = (await mirror.ServeAsync("one"))["one"];
        await mirror.FetchAsync();
        await mirror.FetchAsync();
        mirror.Files.Asked.ShouldBe(["/one/1.0.0"]);

        var second = Archive("one", "1.1.0");
        mirror.Files.File("/one/1.1.0", second);
        await mirror.IndexAsync(("one", Line("one", "1.0.0", first) + Line("one", "1.1.0", second)));
        await mirror.FetchAsync();

        mirror.Files.Asked.ShouldBe(["/one/1.0.0", "/one/1.1.0"]);
        (await mirror.StateAsync("one", "1.1.0")).ShouldBe("kept");
    }

    [Fact]
    public async Task A_mirror_on_demand_fetches_what_was_asked_for_and_once_however_many_ask()
    {
        await using var mirror = await StartAsync(UpstreamModes.OnDemand);
        var archives = await mirror.ServeAsync("one", "two");
        await mirror.FetchAsync();
        mirror.Files.Asked.ShouldBeEmpty();

        var asked = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => mirror.AskAsync("two", archives["two"])));
        await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => mirror.Harness.BeginDelivery(new FetchCrate())));
        await mirror.Fetches.WhenIdleAsync();

        asked.Count(static fresh => fresh).ShouldBe(1);
        mirror.Files.Asked.ShouldBe(["/two/1.0.0"]);
        (await mirror.StateAsync("two")).ShouldBe("kept");
    }

    [Fact]
    public async Task A_mirror_of_metadata_fetches_nothing_and_forgets_what_it_wanted_when_it_becomes_one()
    {
        await using var mirror = await StartAsync();
        await mirror.ServeAsync("one", "two");
        await mirror.Harness.Database.WriteAsync(Workers.Fetching.FileRows.ListAsync);
        (await mirror.StateAsync("one")).ShouldBe("wanted");

        await mirror.Harness.Database.WriteAsync(async sql => await UpstreamStore.ChangeAsync(sql, (await UpstreamStore.FindAsync(sql, "crates-io"))! with { Mode = UpstreamModes.Metadata }));
        await mirror.FetchAsync();
        (await mirror.StateAsync("one")).ShouldBeNull();
        mirror.Files.Asked.ShouldBeEmpty();

        await mirror.Harness.Database.WriteAsync(async sql => await UpstreamStore.ChangeAsync(sql, (await UpstreamStore.FindAsync(sql, "crates-io"))! with { Mode = UpstreamModes.Full }));
        await mirror.FetchAsync();
        (await mirror.StateAsync("one")).ShouldBe("kept");
    }

    [Fact]
    public async Task What_somebody_asked_for_goes_first_then_the_newest()
    {
        await using var mirror = await StartAsync(options: new MirrorOptions { FileConcurrency = 1 });
        byte[][] archives = [.. new[] { "1.0.0", "1.1.0", "1.2.0", "1.3.0" }.Select(static num => Archive("one", num))];
        for (var i = 0; i < 4; i++) mirror.Files.File($"/one/1.{i}.0", archives[i]);
        var old = Archive("old", "1.0.0");
        mirror.Files.File("/old/1.0.0", old);
        await mirror.IndexAsync(
            ("one", string.Concat(Enumerable.Range(0, 4).Select(i => Line("one", $"1.{i}.0", archives[i])))),
            ("old", Line("old", "1.0.0", old, ""","pubtime":"2016-01-01T00:00:00Z" """.TrimEnd())));
        await mirror.AskAsync("one", archives[1], "1.1.0");

        await mirror.FetchAsync();

        mirror.Files.Asked.ShouldBe(["/one/1.1.0", "/one/1.3.0", "/one/1.2.0", "/one/1.0.0", "/old/1.0.0"]);
    }

    [Fact]
    public async Task Files_of_another_source_of_the_same_name_lie_under_keys_of_their_own()
    {
        await using var mirror = await StartAsync();
        await mirror.Harness.ExecuteAsync(
            "INSERT INTO crates (canonical, name, revision, last_published_at, created_at, updated_at) VALUES ('one', 'one', 1, 1, 1, 1)");
        var archive = (await mirror.ServeAsync("one"))["one"];

        await mirror.FetchAsync();

        (await mirror.Harness.TextAsync("SELECT object_key FROM upstream_files")).ShouldStartWith("upstream/crates-io/crates/one/1.0.0/");
        (await mirror.BytesAsync("one", archive)).ShouldBe(archive);
        (await mirror.Harness.ObjectsAsync()).ShouldNotContain(static key => key.StartsWith("crates/", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_a_manifest_says_is_found_by_search()
    {
        await using var mirror = await StartAsync();
        var (old, young) = (Archive("one", "1.0.0", "description = \"Old words\"\n"), Archive("one", "1.1.0", """
            description = "A fine thing"
            license = "MIT"
            homepage = "javascript:alert(1)"
            repository = "https://example.com/one"
            keywords = ["fine", "thing"]
            """));
        mirror.Files.File("/one/1.0.0", old);
        mirror.Files.File("/one/1.1.0", young);
        await mirror.IndexAsync(("one", Line("one", "1.0.0", old) + Line("one", "1.1.0", young)));
        await mirror.Harness.DeliverAsync(new UpdateSearch());

        await mirror.FetchAsync();
        mirror.Harness.Bells.Rung.ShouldContain(static bell => bell is UpdateSearch);
        await mirror.Harness.DeliverAsync(new UpdateSearch());

        (await mirror.Harness.TextAsync("SELECT description || ' ' || keywords FROM search WHERE name = 'one'")).ShouldBe("""A fine thing ["fine","thing"]""");
        (await mirror.Harness.TextAsync("SELECT repository || ' ' || COALESCE(homepage, 'none') FROM crates WHERE name = 'one'")).ShouldBe("https://example.com/one none");
        (await mirror.Harness.TextAsync("SELECT metadata FROM upstream_files WHERE num = '1.1.0'"))!.ShouldContain("\"license\":\"MIT\"");
        // One change for all that ended together, about no single crate.
        (await mirror.Harness.LongAsync("SELECT COUNT(*) FROM changes WHERE kind = 'metadata' AND crate_id IS NOT NULL")).ShouldBe(0);
    }

    [Fact]
    public async Task A_file_that_our_rules_would_not_take_is_mirrored_all_the_same()
    {
        await using var mirror = await StartAsync();
        byte[] odd = [.. "no archive at all"u8];
        mirror.Files.File("/odd/1.0.0", odd);
        var other = Archive("other", "1.0.0", "description = \"Somebody else's\"\n");
        mirror.Files.File("/liar/1.0.0", other);
        await mirror.IndexAsync(("odd", Line("odd", "1.0.0", odd)), ("liar", Line("liar", "1.0.0", other)));

        await mirror.FetchAsync();

        (await mirror.BytesAsync("odd", odd)).ShouldBe(odd);
        (await mirror.BytesAsync("liar", other)).ShouldBe(other);
        (await mirror.Harness.LongAsync("SELECT COUNT(*) FROM crates WHERE description IS NOT NULL")).ShouldBe(0);
    }

    [Fact]
    public async Task A_run_that_ends_between_the_bytes_and_the_row_is_repeated_without_harm()
    {
        await using var mirror = await StartAsync();
        var archive = (await mirror.ServeAsync("one"))["one"];
        await mirror.Harness.Database.WriteAsync(Workers.Fetching.FileRows.ListAsync);
        var key = (await mirror.Harness.TextAsync("SELECT object_key FROM upstream_files"))!;
        // A process that died had it, and got as far as the bytes: the first time whole, the second time other ones.
        foreach (var there in new[] { archive, [1, 2, 3] })
        {
            await mirror.Harness.Store.PutAsync(key, there);
            await mirror.Harness.ExecuteAsync("UPDATE upstream_files SET state = 'wanted', taken_by = 'dead', taken_until = now_us() + 600000000");

            await mirror.FetchAsync();

            (await mirror.StateAsync("one")).ShouldBe("kept");
            (await mirror.BytesAsync("one", archive)).ShouldBe(archive);
        }
    }

    [Fact]
    public async Task A_file_that_another_living_process_is_at_is_left_to_it()
    {
        await using var mirror = await StartAsync();
        await mirror.ServeAsync("one");
        await mirror.Harness.Database.WriteAsync(Workers.Fetching.FileRows.ListAsync);
        await mirror.Harness.ExecuteAsync("INSERT INTO processes (id, roles, started_at, seen_at) VALUES ('other', '', now_us(), now_us())");
        await mirror.Harness.ExecuteAsync("UPDATE upstream_files SET taken_by = 'other', taken_until = now_us() + 600000000");

        await mirror.FetchAsync();

        mirror.Files.Asked.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_store_that_is_away_puts_the_file_off_and_it_comes_when_the_store_is_back()
    {
        await using var mirror = await StartAsync();
        var archive = (await mirror.ServeAsync("one"))["one"];
        mirror.Harness.Store.Failure = FaultyStore.Away;
        await mirror.FetchAsync();
        (await mirror.FailuresAsync()).ShouldBe(["store-away one"]);
        (await mirror.StateAsync("one")).ShouldBe("wanted");

        mirror.Harness.Store.Failure = null;
        await mirror.Harness.ExecuteAsync("UPDATE upstream_files SET next_try_at = 0");
        await mirror.FetchAsync();

        (await mirror.BytesAsync("one", archive)).ShouldBe(archive);
        (await mirror.FailuresAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_fault_parks_the_file_alone_until_it_is_replayed()
    {
        await using var mirror = await StartAsync();
        await mirror.ServeAsync("one", "two");
        mirror.Harness.Store.Failure = new InvalidOperationException("a bug");
        await mirror.FetchAsync();
        (await mirror.FailuresAsync()).ShouldBe(["InvalidOperationException one", "InvalidOperationException two"]);
        (await mirror.Harness.FailuresAsync()).ShouldAllBe(static failure => failure.StartsWith("fault/", StringComparison.Ordinal));

        mirror.Harness.Store.Failure = null;
        await mirror.FetchAsync();
        (await mirror.StateAsync("one")).ShouldBe("refused");
        await ReplayAllAsync(mirror);
        await mirror.FetchAsync();

        (await mirror.StateAsync("one")).ShouldBe("kept");
        (await mirror.FailuresAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task The_sweep_rings_while_files_are_due_and_no_longer()
    {
        await using var mirror = await StartAsync();
        await mirror.ServeAsync("one");
        await mirror.Harness.DeliverAsync(new Sweep());
        mirror.Harness.Bells.Rung.ShouldContain(static bell => bell is FetchCrate);
        await mirror.FetchAsync();
        mirror.Harness.Bells.Clear();

        await mirror.Harness.DeliverAsync(new Sweep());

        mirror.Harness.Bells.Rung.ShouldNotContain(static bell => bell is FetchCrate);
    }

    internal static async Task ReplayAllAsync(FetchFixture mirror)
    {
        var ids = await mirror.Harness.Database.ReadAsync(sql => sql.QueryAsync("SELECT id FROM failures WHERE resolved_at IS NULL ORDER BY id", static row => row.Long(0)));
        await mirror.Harness.Replay.RunAsync(ids, new Actor(null, null), CancellationToken.None);
    }
}
