using System.Text;
using System.Text.Json.Nodes;
using Pipeline.Contracts.Upkeep;
using Pipeline.Registry.Cdn;
using Pipeline.Registry.Faults;
using Pipeline.Registry.Store;
using Pipeline.Registry.Truth;
using Pipeline.Tests.Services;
using Pipeline.Workers.Tests.Cdn;
using Pipeline.Workers.Tests.GitIndex;
using Pipeline.Workers.Tests.Harness;

namespace Pipeline.Workers.Tests.Reconciliation;

public sealed class ReconcileConsumerTests
{
    private const string Queues = "reconcile render-sparse commit-index";
    private const string FooSparse = "index/fo/ob/foobar";
    private const string FooGit = "fo/ob/foobar";

    public static TheoryData<bool, string, string> Mended
    {
        get
        {
            var data = new TheoryData<bool, string, string>();
            foreach (var s3 in (bool[])[false, true])
            {
                data.Add(s3, "sparse gone", "missing-in-index sparse foobar");
                data.Add(s3, "sparse lacks a line", "missing-in-index sparse foobar 1.1.0");
                data.Add(s3, "sparse has a line of a deleted version", "extra-in-index sparse foobar 1.0.0");
                data.Add(s3, "sparse has a file of a deleted crate", "extra-in-index sparse gone-crate");
                data.Add(s3, "sparse has a file of nobody", "extra-in-index sparse nobody");
                data.Add(s3, "sparse stale by a yank", "yank-differs sparse foobar 1.1.0");
                data.Add(s3, "sparse has another checksum", "checksum-differs sparse foobar 1.0.0");
                data.Add(s3, "sparse has another line", "line-differs sparse foobar 1.0.0");
                data.Add(s3, "record gone", "record-missing records foobar 1.0.0");
                data.Add(s3, "upload forgotten", "staged-and-forgotten staging");
                data.Add(s3, "bytes of nobody", "bytes-orphaned objects foobar 9.9.9");
            }

            foreach (var (plant, kind) in new[]
            {
                ("git gone", "missing-in-index git foobar"),
                ("git lacks a line", "missing-in-index git foobar 1.1.0"),
                ("git has a file of a deleted crate", "extra-in-index git gone-crate"),
                ("git has a file of nobody", "extra-in-index git nobody"),
                ("git stale by a yank", "yank-differs git foobar 1.1.0"),
                ("git has another checksum", "checksum-differs git foobar 1.0.0"),
                ("git has another line", "line-differs git foobar 1.0.0"),
                ("git has another config.json", "config-differs git"),
            }) data.Add(false, plant, kind);
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Mended))]
    public async Task A_planted_difference_is_found_then_mended_then_gone(bool s3, string plant, string expected)
    {
        var clock = new LaterClock();
        await using var harness = await PublishedAsync(s3, clock);
        await PlantAsync(harness, plant);
        clock.Ahead = TimeSpan.FromHours(25);

        (await RunAsync(harness, repair: false)).ShouldBe([$"{expected} open"]);
        (await RunAsync(harness, repair: true)).ShouldBe([$"{expected} repaired"]);
        (await RunAsync(harness, repair: false)).ShouldBeEmpty();
        (await harness.LongAsync("SELECT count(*) FROM reservations")).ShouldBe(0);
        (await harness.LongAsync("SELECT count(*) FROM claims")).ShouldBe(0);
    }

    [Theory]
    [InlineData(false, "bytes gone", "bytes-missing objects foobar 1.0.0")]
    [InlineData(true, "bytes gone", "bytes-missing objects foobar 1.0.0")]
    [InlineData(false, "bytes shorter", "checksum-differs objects foobar 1.0.0")]
    [InlineData(true, "bytes shorter", "checksum-differs objects foobar 1.0.0")]
    [InlineData(false, "bytes changed", "checksum-differs objects foobar 1.0.0")]
    [InlineData(true, "bytes changed", "checksum-differs objects foobar 1.0.0")]
    [InlineData(false, "record of a version that the database lost", "version-missing records lost-crate 1.0.0")]
    [InlineData(true, "record of a version that the database lost", "version-missing records lost-crate 1.0.0")]
    public async Task What_no_other_store_can_give_back_is_reported_and_left(bool s3, string plant, string expected)
    {
        var clock = new LaterClock();
        await using var harness = await PublishedAsync(s3, clock);
        await PlantAsync(harness, plant);
        clock.Ahead = TimeSpan.FromHours(25);
        var objects = await harness.ObjectsAsync();

        (await RunAsync(harness, repair: true)).ShouldBe([$"{expected} open"]);
        (await harness.ObjectsAsync()).ShouldBe(objects);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_line_whose_bytes_and_record_exist_is_never_taken_away(bool s3)
    {
        await using var harness = await PublishedAsync(s3, new LaterClock());
        var (sparse, git) = (await harness.ReadAsync(FooSparse), await harness.GitAsync("show", $"master:{FooGit}"));
        // As after the restore of an older backup.
        await harness.ExecuteAsync("DELETE FROM changes WHERE num = '1.1.0'");
        await harness.ExecuteAsync("DELETE FROM versions WHERE num = '1.1.0'");

        (await RunAsync(harness, repair: true)).ShouldBe(
            ["extra-in-index git foobar 1.1.0 open", "extra-in-index sparse foobar 1.1.0 open", "version-missing records foobar 1.1.0 open"], ignoreOrder: true);

        (await harness.ReadAsync(FooSparse)).ShouldBe(sparse);
        (await harness.GitAsync("show", $"master:{FooGit}")).ShouldBe(git);
    }

    [Fact]
    public async Task A_whole_crate_that_the_database_has_lost_stays_in_both_indexes()
    {
        var clock = new LaterClock();
        await using var harness = await PublishedAsync(s3: false, clock);
        await harness.Store.PutAsync("crates/lost-crate/lost-crate-1.0.0.crate", "bytes"u8.ToArray());
        await harness.Store.PutAsync($"records/lost-crate/1.0.0.{Guid.CreateVersion7()}.json", "{}"u8.ToArray());
        await harness.Store.PutAsync("index/lo/st/lost-crate", Encoding.UTF8.GetBytes("""{"name":"lost-crate","vers":"1.0.0"}""" + "\n"));
        await harness.CommitAsync([("lo/st/lost-crate", """{"name":"lost-crate","vers":"1.0.0"}""" + "\n")], []);
        clock.Ahead = TimeSpan.FromHours(25);

        (await RunAsync(harness, repair: true)).ShouldBe(
            ["extra-in-index sparse lost-crate open", "extra-in-index git lost-crate open", "version-missing records lost-crate 1.0.0 open"], ignoreOrder: true);
        (await harness.ReadAsync("index/lo/st/lost-crate")).ShouldNotBeNull();
        (await harness.GitAsync("show", "master:lo/st/lost-crate")).ShouldNotBeEmpty();
        (await harness.ReadAsync("crates/lost-crate/lost-crate-1.0.0.crate")).ShouldBe("bytes");
    }

    [Fact]
    public async Task A_record_that_is_written_anew_says_what_the_first_one_said_but_when_it_was_kept()
    {
        await using var harness = await WorkerHarness.StartAsync($"{Queues} read-manifest");
        await harness.ExecuteAsync("INSERT INTO registry (id, epoch, created_at, public_url) VALUES (1, 'e', 0, 'http://127.0.0.1:7878')");
        await harness.EnsureConfigAsync();
        var more = "keywords = [\"one\", \"two\"]\nhomepage = \"https://example.com\"\nrust-version = \"1.70\"\nlinks = \"z\"\n[features]\ndefault = []\n[[bin]]\nname = \"tool\"\npath = \"src/lib.rs\"\n";
        var id = await harness.CheckedAsync("foobar", "1.0.0+build", WorkerHarness.Manifest("foobar", "1.0.0+build", more), claims: """{"dependencies":[],"allowMissingDependencies":false,"readme":"# Read me","readmeFile":"README.md"}""");
        await harness.DeliverAsync(new Contracts.Publishing.ReadManifest(id));
        await harness.RenderAllAsync();
        var key = StoreKeys.Record("foobar", "1.0.0+build", id);
        var first = JsonNode.Parse((await harness.ReadAsync(key))!)!.AsObject();
        await harness.Store.DeleteAsync(key);

        (await RunAsync(harness, repair: true)).ShouldBe(["record-missing records foobar 1.0.0+build repaired"]);

        var anew = JsonNode.Parse((await harness.ReadAsync(key))!)!.AsObject();
        anew["accepted_at"]!.GetValue<long>().ShouldBeGreaterThanOrEqualTo(first["accepted_at"]!.GetValue<long>());
        first.Remove("accepted_at");
        anew.Remove("accepted_at");
        anew.ToJsonString().ShouldBe(first.ToJsonString());
        first["keywords"]!.ToJsonString().ShouldBe("""["one","two"]""");
        first["readme"]!.GetValue<string>().ShouldBe("# Read me");
    }

    [Fact]
    public async Task Bytes_younger_than_a_day_and_bytes_whose_number_is_reserved_are_left_alone()
    {
        var clock = new LaterClock();
        await using var harness = await PublishedAsync(s3: false, clock);
        await PlantAsync(harness, "bytes of nobody");
        clock.Ahead = TimeSpan.FromHours(23);
        (await RunAsync(harness, repair: true)).ShouldBeEmpty();

        clock.Ahead = TimeSpan.FromHours(25);
        await harness.ExecuteAsync("INSERT INTO reservations (namespace, source, canonical, num_no_build, holder, fence, reserved_at) VALUES ('', 'local', 'foobar', '9.9.9', 'p', 1, 0)");
        (await RunAsync(harness, repair: true)).ShouldBeEmpty();

        (await harness.ReadAsync("crates/foobar/foobar-9.9.9.crate")).ShouldBe("orphan");
    }

    [Fact]
    public async Task A_crate_in_flight_is_looked_at_again_and_not_reported()
    {
        await using var harness = await PublishedAsync(s3: false, new LaterClock());
        await harness.Store.DeleteAsync(FooSparse);
        await harness.ExecuteAsync("UPDATE projections SET reached = 0 WHERE crate_id = 1 AND kind = 'sparse'");

        var run = harness.DeliverAsync(new Reconcile(RunId: (await AskAsync(harness, repair: false)).Id));
        await harness.DeliverAsync(new Contracts.Index.RenderSparse(1));
        await run;

        (await harness.TextAsync("SELECT state || ' ' || differences_found || ' ' || in_flight FROM reconcile_runs")).ShouldBe("done 0 0");
    }

    [Fact]
    public async Task A_crate_that_never_comes_to_rest_is_counted_and_not_reported()
    {
        await using var harness = await PublishedAsync(s3: false, new LaterClock());
        await harness.Store.DeleteAsync(FooSparse);
        await harness.ExecuteAsync("UPDATE projections SET reached = 0 WHERE crate_id = 1 AND kind = 'sparse'");

        (await RunAsync(harness, repair: true)).ShouldBeEmpty();

        (await harness.LongAsync("SELECT in_flight FROM reconcile_runs")).ShouldBe(1);
        var newest = await harness.Database.ReadAsync(ReconcileRuns.NewestAsync);
        newest!.IsClean.ShouldBeFalse();
    }

    [Fact]
    public async Task Beside_publishes_and_yanks_that_go_on_a_run_reports_nothing()
    {
        await using var harness = await PublishedAsync(s3: false, new LaterClock());
        for (var i = 0; i < 30; i++) await harness.RecordAsync($"busy-crate-{i}", "1.0.0");
        await harness.RenderAllAsync();
        using var stop = new CancellationTokenSource();
        var publishing = Task.Run(async () =>
        {
            for (var round = 1; !stop.IsCancellationRequested; round++)
            {
                await harness.RecordAsync($"busy-crate-{round % 30}", $"1.{round}.0", keepPublish: true);
                await harness.Database.WriteAsync(sql => Revisions.BumpAsync(sql, 1, round % 2 == 0 ? "yank" : "unyank", "1.1.0"));
                await harness.RenderAllAsync();
            }
        });
        for (var i = 0; i < 3; i++) (await RunAsync(harness, repair: false)).ShouldBeEmpty();
        await stop.CancelAsync();
        await publishing;

        (await RunAsync(harness, repair: false)).ShouldBeEmpty();
        var newest = await harness.Database.ReadAsync(ReconcileRuns.NewestAsync);
        newest!.IsClean.ShouldBeTrue();
    }

    [Fact]
    public async Task The_git_index_of_a_remote_is_the_one_that_is_compared_and_mended()
    {
        var folder = Directory.CreateTempSubdirectory("remote-").FullName;
        var remote = new BareRemote(folder);
        await using (var harness = await PublishedAsync(s3: false, new LaterClock(), remote: remote.Repository))
        {
            var file = remote.Show(FooGit);
            remote.Edit("By hand", (FooGit, file.Replace("\"yanked\":false", "\"yanked\":true", StringComparison.Ordinal)), ("no/bo/nobody", """{"name":"nobody","vers":"1.0.0"}""" + "\n"));

            (await RunAsync(harness, repair: true)).ShouldBe(
                ["yank-differs git foobar 1.0.0 repaired", "yank-differs git foobar 1.1.0 repaired", "extra-in-index git nobody repaired"], ignoreOrder: true);

            remote.Show(FooGit).ShouldBe(file);
            remote.Files().ShouldNotContain("no/bo/nobody");
            remote.ShouldBeSound();
            (await RunAsync(harness, repair: false)).ShouldBeEmpty();
        }

        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task A_run_that_is_cut_off_goes_on_and_counts_nothing_twice()
    {
        await using var harness = await PublishedAsync(s3: false, new LaterClock());
        await PlantAsync(harness, "sparse has a file of nobody");
        await PlantAsync(harness, "sparse lacks a line");
        var run = await AskAsync(harness, repair: false);
        for (var i = 0; i < 3; i++)
        {
            FaultPoints.Set("reconcile.page", static () => throw FaultyStore.Away);
            await harness.DeliverAsync(new Reconcile(RunId: run.Id));
        }

        (await harness.FailuresAsync()).ShouldBe(["transient/store-away"]);
        await harness.DeliverAsync(new Reconcile(RunId: run.Id));

        (await FoundAsync(harness, run.Id)).ShouldBe(["missing-in-index sparse foobar 1.1.0 open", "extra-in-index sparse nobody open"]);
        (await harness.TextAsync("SELECT state || ' ' || differences_found || ' ' || differences_open FROM reconcile_runs")).ShouldBe("done 2 2");
    }

    [Fact]
    public async Task A_slot_is_done_once_and_its_run_mends()
    {
        await using var harness = await PublishedAsync(s3: false, new LaterClock());
        var slot = DateTimeOffset.FromUnixTimeSeconds(1_800_000_000);
        await PlantAsync(harness, "sparse gone");

        await harness.DeliverAsync(new Reconcile(slot));
        await PlantAsync(harness, "sparse gone");
        await harness.DeliverAsync(new Reconcile(slot));

        (await harness.TextsAsync("SELECT cause || ' ' || state || ' ' || differences_repaired FROM reconcile_runs")).ShouldBe("schedule done 1");
    }

    [Fact]
    public async Task Without_a_slot_and_an_open_run_there_is_nothing_to_do()
    {
        await using var harness = await PublishedAsync(s3: false, new LaterClock());

        await harness.DeliverAsync(new Reconcile());

        (await harness.LongAsync("SELECT count(*) FROM reconcile_runs")).ShouldBe(0);
    }

    [Fact]
    public async Task A_fault_ends_the_run_as_failed_and_is_filed()
    {
        await using var harness = await PublishedAsync(s3: false, new LaterClock());
        FaultPoints.Set("reconcile.page", static () => throw new InvalidOperationException("broken"));

        (await RunAsync(harness, repair: false)).ShouldBeEmpty();

        (await harness.FailuresAsync()).ShouldBe(["fault/InvalidOperationException"]);
        (await harness.TextAsync("SELECT state || ': ' || error FROM reconcile_runs")).ShouldBe("failed: broken");
    }

    [Fact]
    public async Task What_a_cache_serves_though_nothing_is_on_its_way_is_found_and_purged()
    {
        await using var cache = FakeServer.Start(static _ => new Reply(200, "old\n"));
        var target = new CdnTarget { Name = "edge", IndexUrls = [$"http://127.0.0.1:{cache.Port}/index/"], TimeoutSeconds = 5 };
        await using var harness = await PublishedAsync(s3: false, new LaterClock(), new CdnOptions { Targets = [target] });
        await harness.ExecuteAsync("UPDATE purges SET confirmed_at = now_us()");
        await harness.ExecuteAsync("DELETE FROM versions WHERE crate_id = 2");
        await harness.ExecuteAsync("UPDATE crates SET state = 'deleted' WHERE id = 2");

        var found = await RunAsync(harness, repair: true);

        found.ShouldContain("cdn-stale cdn/edge foobar repaired");
        (await harness.TextsAsync("SELECT DISTINCT value FROM purges WHERE confirmed_at IS NULL AND crate_id = 1")).ShouldBe(FooSparse);
    }

    private static async Task<WorkerHarness> PublishedAsync(bool s3, LaterClock clock, CdnOptions? cdn = null, string? remote = null)
    {
        var harness = await WorkerHarness.StartAsync(Queues, buckets: s3 ? await S3Buckets.CreateAsync() : null, clock: clock, cdn: cdn, gitRemote: remote);
        await harness.ExecuteAsync("INSERT INTO registry (id, epoch, created_at, public_url) VALUES (1, 'e', 0, 'http://127.0.0.1:7878')");
        await harness.EnsureConfigAsync();
        await harness.RecordAsync("foobar", "1.0.0");
        await harness.RecordAsync("foobar", "1.1.0");
        await harness.RecordAsync("barbaz", "1.0.0");
        await harness.RecordAsync("gone-crate", "1.0.0");
        await harness.ExecuteAsync("UPDATE crates SET state = 'deleted' WHERE name = 'gone-crate'");
        await harness.Store.PutAsync(StoreKeys.CrateRecord("foobar", 7), "{}"u8.ToArray());
        await harness.RenderAllAsync();
        return harness;
    }

    private static async Task PlantAsync(WorkerHarness harness, string plant)
    {
        var (where, what) = (plant.Split(' ')[0], plant[(plant.IndexOf(' ', StringComparison.Ordinal) + 1)..]);
        var lines = (await harness.ReadAsync(FooSparse))?.Split('\n') ?? [];
        switch (what)
        {
            case "gone" when where is "sparse" or "git": await PutAsync(FooGit, null); break;
            case "lacks a line": await PutAsync(FooGit, lines[0] + "\n"); break;
            case "has a line of a deleted version":
                await harness.ExecuteAsync("UPDATE versions SET state = 'deleted' WHERE num = '1.0.0' AND crate_id = 1");
                await harness.CommitAsync([(FooGit, lines[1] + "\n")], []);
                await harness.Store.DeleteAsync("crates/foobar/foobar-1.0.0.crate");
                break;
            case "has a file of a deleted crate": await PutAsync("go/ne/gone-crate", """{"name":"gone-crate","vers":"1.0.0"}""" + "\n"); break;
            case "has a file of nobody": await PutAsync("no/bo/nobody", """{"name":"nobody","vers":"1.0.0"}""" + "\n"); break;
            case "stale by a yank": await PutAsync(FooGit, $"{lines[0]}\n{lines[1].Replace("\"yanked\":false", "\"yanked\":true", StringComparison.Ordinal)}\n"); break;
            case "has another checksum": await PutAsync(FooGit, $"{lines[0].Replace("\"cksum\":\"", "\"cksum\":\"00", StringComparison.Ordinal)}\n{lines[1]}\n"); break;
            case "has another line": await PutAsync(FooGit, $"{lines[0].Replace("\"deps\":[]", "\"deps\":[ ]", StringComparison.Ordinal)}\n{lines[1]}\n"); break;
            case "has another config.json": await PutAsync("config.json", "{}\n"); break;
            case "forgotten": await harness.Store.PutAsync($"staging/{Guid.CreateVersion7()}.crate", "forgotten"u8.ToArray()); break;
            case "of nobody": await harness.Store.PutAsync("crates/foobar/foobar-9.9.9.crate", "orphan"u8.ToArray()); break;
            case "gone" when where == "bytes": await harness.Store.DeleteAsync("crates/foobar/foobar-1.0.0.crate"); break;
            case "shorter": await harness.Store.PutAsync("crates/foobar/foobar-1.0.0.crate", "foo"u8.ToArray()); break;
            case "changed": await harness.Store.PutAsync("crates/foobar/foobar-1.0.0.crate", "foobar 9.9.9"u8.ToArray()); break;
            case "gone" when where == "record":
                await harness.Store.DeleteAsync((await harness.ObjectsAsync()).Single(key => key.StartsWith("records/foobar/1.0.0.", StringComparison.Ordinal)));
                break;
            case "of a version that the database lost":
                await harness.Store.PutAsync($"records/lost-crate/1.0.0.{Guid.CreateVersion7()}.json", "{}"u8.ToArray());
                break;
            default: throw new ArgumentException(plant, nameof(plant));
        }

        async Task PutAsync(string path, string? content)
        {
            if (where == "git") await harness.CommitAsync(content is null ? [] : [(path, content)], content is null ? [path] : []);
            else if (content is null) await harness.Store.DeleteAsync($"index/{path}");
            else await harness.Store.PutAsync($"index/{path}", Encoding.UTF8.GetBytes(content));
        }
    }

    private static async Task<ReconcileRun> AskAsync(WorkerHarness harness, bool repair) => await harness.Database.WriteAsync(sql => ReconcileRuns.AskAsync(sql, "operator", repair));

    private static async Task<List<string>> RunAsync(WorkerHarness harness, bool repair)
    {
        var run = await AskAsync(harness, repair);
        await harness.DeliverAsync(new Reconcile(RunId: run.Id));
        return await FoundAsync(harness, run.Id);
    }

    private static async Task<List<string>> FoundAsync(WorkerHarness harness, long run) =>
        (await harness.Database.ReadAsync(sql => ReconcileRuns.DifferencesAsync(sql, run))).ConvertAll(one => string.Join(' ', new[]
        {
            ReconcileRuns.Text(one.Kind), one.Store, one.Name, one.Num, one.Repaired ? "repaired" : "open",
        }.Where(text => text is not null)));

    // As late as a test says, in the worker alone.
    private sealed class LaterClock : TimeProvider
    {
        public TimeSpan Ahead { get; set; }

        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + Ahead;
    }
}
