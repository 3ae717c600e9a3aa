using Pipeline.Contracts.Cdn;
using Pipeline.Contracts.Index;
using Pipeline.Contracts.Publishing;
using Pipeline.Contracts.Search;
using Pipeline.Contracts.Upkeep;
using Pipeline.Contracts.Upstream;
using Pipeline.Registry.Failures;
using Pipeline.Registry.Faults;
using Pipeline.Registry.Identity;
using Pipeline.Registry.Store;
using Pipeline.Registry.Truth;
using Pipeline.Workers.Tests.Cdn;
using Pipeline.Workers.Tests.GitIndex;
using Pipeline.Workers.Tests.Harness;
using Pipeline.Workers.Tests.Upstream;

namespace Pipeline.Workers.Tests.Replaying;

/// <summary>In every stage: a planted fault is seen, parked where its row can be, and a replay makes the stage do its work, exactly once.</summary>
public sealed class ReplayedStagesTests
{
    private static readonly string Every = string.Join(' ', WorkerCatalogue.All.Select(worker => worker.Stage.Queue));

    [Fact]
    public async Task A_tarball_whose_bytes_were_gone_is_checked()
    {
        await using var harness = await WorkerHarness.StartAsync(Every);
        var id = await harness.ParkAsync("foo", "1.0.0");
        var bytes = await BytesAsync(harness, StoreKeys.Staged(id));
        await harness.Store.DeleteAsync(StoreKeys.Staged(id));
        await harness.DeliverAsync(new ValidateTarball(id));
        await ShouldBeParkedAsync(harness, new ValidateTarball(id), "validate-tarball", id);

        await harness.Store.PutAsync(StoreKeys.Staged(id), bytes);
        await ReplayAsync(harness, new ValidateTarball(id));

        (await harness.TextAsync("SELECT state FROM publishes")).ShouldBe("checked");
    }

    [Fact]
    public async Task A_manifest_whose_version_could_not_be_stored_is_accepted_once()
    {
        await using var harness = await WorkerHarness.StartAsync(Every);
        var id = await harness.CheckedAsync("foo", "1.0.0");
        harness.Store.Failure = new InvalidDataException("planted");
        await harness.DeliverAsync(new ReadManifest(id));
        await ShouldBeParkedAsync(harness, new ReadManifest(id), "read-manifest", id);

        harness.Store.Failure = null;
        await ReplayAsync(harness, new ReadManifest(id));

        (await harness.TextAsync("SELECT state FROM publishes")).ShouldBe("accepted");
        (await harness.LongAsync("SELECT COUNT(*) FROM versions")).ShouldBe(1);
    }

    [Fact]
    public async Task A_sparse_file_that_could_not_be_written_is_written()
    {
        await using var harness = await WorkerHarness.StartAsync(Every);
        var crate = await CrateAsync(harness, "foo");
        harness.Store.Failure = new InvalidDataException("planted");
        await harness.DeliverAsync(new RenderSparse(crate));
        await ShouldBeParkedAsync(harness, new RenderSparse(crate), "render-sparse", "1");

        harness.Store.Failure = null;
        await ReplayAsync(harness, new RenderSparse(crate));

        (await harness.ReadAsync("index/3/f/foo")).ShouldNotBeNull();
        (await harness.LongAsync("SELECT COUNT(*) FROM projections WHERE kind = 'sparse' AND reached = wanted")).ShouldBe(1);
    }

    [Fact]
    public async Task A_crates_record_that_could_not_be_written_is_written()
    {
        await using var harness = await WorkerHarness.StartAsync(Every);
        await harness.DeliverAsync(new ReadManifest(await harness.CheckedAsync("foo", "1.0.0")));
        await harness.DeliverAsync(new RecordCrate(1));
        var records = (await harness.ObjectsAsync()).Count;
        await harness.ExecuteAsync("UPDATE versions SET yanked = TRUE");
        await harness.Database.WriteAsync(static sql => Revisions.BumpAsync(sql, 1, "yank", "1.0.0"));
        harness.Store.Failure = new InvalidDataException("planted");
        await harness.DeliverAsync(new RecordCrate(1));
        await ShouldBeParkedAsync(harness, new RecordCrate(1), "record-crate", "1");

        harness.Store.Failure = null;
        await ReplayAsync(harness, new RecordCrate(1));

        (await harness.ObjectsAsync()).Count.ShouldBe(records + 1);
        (await harness.LongAsync("SELECT COUNT(*) FROM projections WHERE kind = 'record' AND reached = wanted")).ShouldBe(1);
    }

    [Fact]
    public async Task A_crate_that_git_could_not_take_is_committed()
    {
        await using var harness = await WorkerHarness.StartAsync(Every);
        await CrateAsync(harness, "foo");
        await harness.ExecuteAsync("UPDATE crates SET name = '../foo'");
        await harness.DeliverAsync(new CommitIndex());
        (await StandingAsync(harness)).ShouldBe("commit-index 1 transient/index-row-refused retrying");

        await harness.ExecuteAsync("UPDATE crates SET name = 'foo'");
        await harness.ExecuteAsync("UPDATE projections SET next_try_at = $1 WHERE kind = 'git'", FailureLog.Parked);
        await ReplayAsync(harness, new CommitIndex());

        (await harness.GitAsync("log", "--format=%s")).ShouldBe("Create crate `foo`\n");
    }

    [Fact]
    public async Task A_remote_that_was_away_is_pushed_to_at_once()
    {
        var folder = Directory.CreateTempSubdirectory("remote-").FullName;
        var remote = new BareRemote(folder);
        await using (var harness = await WorkerHarness.StartAsync(Every, gitRemote: remote.Repository))
        {
            Directory.Move(remote.Repository, remote.Repository + ".away");
            await CrateAsync(harness, "foo");
            await harness.DeliverAsync(new CommitIndex());
            await harness.ExecuteAsync("UPDATE git_index SET next_try_at = now_us() + 600000000");
            (await StandingAsync(harness)).ShouldBe("commit-index index transient/git-remote-away retrying");

            Directory.Move(remote.Repository + ".away", remote.Repository);
            await ReplayAsync(harness, new CommitIndex());

            remote.Messages().ShouldBe(["Create crate `foo`"]);
        }

        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task A_cache_that_refused_is_told_at_once()
    {
        await using var cache = FakeServer.Start(_ => new Reply(403));
        var options = PurgedRegistry.Options(PurgedRegistry.Plain(cache.Url));
        await using var harness = await WorkerHarness.StartAsync(Every, cdn: options);
        await harness.PurgeAsync(options, "3/f/foo");
        await harness.DeliverAsync(new PurgeCdn());
        (await StandingAsync(harness)).ShouldBe("purge-cdn edge fault/PurgeRefusedException retrying");

        cache.Answer = _ => Task.FromResult(new Reply(200));
        await ReplayAsync(harness, new PurgeCdn());

        (await harness.PurgesAsync()).ShouldBe(["edge index/3/f/foo accepted"]);
    }

    [Fact]
    public async Task Bytes_that_could_not_be_deleted_go()
    {
        const string key = "crates/foo/foo-1.0.0.crate";
        await using var harness = await WorkerHarness.StartAsync(Every);
        await harness.Store.PutAsync(key, "bytes"u8.ToArray());
        await CrateAsync(harness, "foo");
        await harness.ExecuteAsync("UPDATE projections SET reached = wanted");
        await harness.ExecuteAsync("UPDATE versions SET state = 'deleted'");
        await harness.ExecuteAsync("INSERT INTO deletions (crate_id, version_id, revision, object_key) VALUES (1, 1, 1, $1)", key);
        await harness.ExecuteAsync("ALTER TABLE reservations RENAME TO reservations_away");
        await harness.DeliverAsync(new DeleteBytes(1));
        await ShouldBeParkedAsync(harness, new DeleteBytes(1), "delete-bytes", "1");

        await harness.ExecuteAsync("ALTER TABLE reservations_away RENAME TO reservations");
        await ReplayAsync(harness, new DeleteBytes(1));

        (await harness.ObjectsAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_rebuild_that_ended_in_a_fault_begins_again_and_ends()
    {
        await using var harness = await WorkerHarness.StartAsync(Every);
        await harness.RecordAsync("foo", "1.0.0");
        await harness.RenderAllAsync();
        var file = await harness.ReadAsync("index/3/f/foo");
        await harness.Store.PutAsync("index/3/f/foo", "damaged\n"u8.ToArray());
        var rebuild = await harness.Database.WriteAsync(static sql => RebuildRows.AskAsync(sql, ProjectionKinds.Sparse, null, null, 1));
        FaultPoints.Set("rebuild.filled", static () => throw new InvalidOperationException("planted"));
        await harness.DeliverAsync(new Rebuild(rebuild.Id));
        await ShouldBeParkedAsync(harness, new Rebuild(rebuild.Id), "rebuild", "1");

        await ReplayAsync(harness, new Rebuild(rebuild.Id));

        (await harness.ReadAsync("index/3/f/foo")).ShouldBe(file);
        (await harness.TextAsync("SELECT state || ' ' || done || ' of ' || total FROM rebuilds")).ShouldBe("done 1 of 1");
    }

    [Fact]
    public async Task An_upstream_whose_sync_ended_in_a_fault_is_followed_again_once()
    {
        await using var mirror = await MirrorFixture.StartAsync(queues: Every);
        mirror.Commit(("serde", MirrorFixture.Line("serde", "1.0.0")));
        FaultPoints.Set("upstream.batch", static () => throw new InvalidOperationException("planted"));
        await mirror.SyncAsync();
        await ShouldBeParkedAsync(mirror.Harness, new SyncUpstream(MirrorFixture.Name), "sync-upstream", MirrorFixture.Name);

        await ReplayAsync(mirror.Harness, new SyncUpstream(MirrorFixture.Name));

        (await mirror.Harness.TextsAsync("SELECT kind FROM changes WHERE kind = 'sync'")).ShouldBe("sync");
        (await mirror.TruthAsync("serde")).ShouldBe(MirrorFixture.Line("serde", "1.0.0"));
    }

    [Theory]
    [InlineData("commit-index", "git", "projections")]
    [InlineData("purge-cdn", "cdn", "cdn_targets")]
    [InlineData("sweep", "sweep", "deletions")]
    [InlineData("clean-staging", "staging", "publishes")]
    [InlineData("update-search", "search", "search")]
    public async Task A_bell_without_a_row_is_rung_again(string queue, string key, string table)
    {
        await using var cache = FakeServer.Start(_ => new Reply(200));
        await using var harness = await WorkerHarness.StartAsync(Every, cdn: PurgedRegistry.Options(PurgedRegistry.Plain(cache.Url)));
        await harness.Store.PutAsync(StoreKeys.Staged(Contracts.PublishId.New().ToString()), "bytes"u8.ToArray());
        if (queue == "update-search") await CrateAsync(harness, "foo");
        object bell = queue switch
        {
            "commit-index" => new CommitIndex(),
            "purge-cdn" => new PurgeCdn(),
            "sweep" => new Sweep(),
            "update-search" => new UpdateSearch(),
            _ => new CleanStaging(),
        };
        await harness.ExecuteAsync($"ALTER TABLE {table} RENAME TO away");
        await DeliverAsync(harness, bell);
        (await StandingAsync(harness)).ShouldBe($"{queue} {key} fault/{WorkerHarness.DatabaseError} retrying");

        await harness.ExecuteAsync($"ALTER TABLE away RENAME TO {table}");
        harness.Bells.Clear();
        (await harness.Replay.RunAsync([1], Actor.System, TestContext.Current.CancellationToken)).ShouldBe([new ReplayResult(1, Replayed.Rung)]);
        harness.Bells.Rung.ShouldBe([bell]);
        await DeliverAsync(harness, bell);

        (await harness.FailuresAsync()).ShouldBeEmpty();
    }

    private static async Task ShouldBeParkedAsync(WorkerHarness harness, object bell, string stage, string key)
    {
        (await StandingAsync(harness)).ShouldMatch($"^{stage} {key} fault/[A-Za-z]+ parked$");
        await harness.ExecuteAsync("UPDATE publishes SET rung_at = NULL");
        await harness.ExecuteAsync("UPDATE projections SET rung_at = NULL");
        harness.Bells.Clear();
        await harness.DeliverAsync(new Sweep());
        harness.Bells.Rung.ShouldNotContain(bell);
    }

    /// <summary>Replays the one failure there is, twice: its bell comes from the sweep alone, within what the stage can hold.</summary>
    private static async Task ReplayAsync<T>(WorkerHarness harness, T bell)
        where T : class
    {
        harness.Bells.Clear();
        var id = await harness.LongAsync("SELECT id FROM failures WHERE resolved_at IS NULL");
        (await harness.Replay.RunAsync([id!.Value, id.Value], Actor.System, TestContext.Current.CancellationToken)).ShouldAllBe(result => result.Outcome == Replayed.Reset);
        harness.Bells.Rung.Count(rung => rung is Sweep).ShouldBe(1);
        await harness.DeliverAsync(new Sweep());
        // The git index rings itself too, as long as a next try is near.
        harness.Bells.Rung.Count(rung => rung.Equals(bell)).ShouldBeInRange(1, bell is CommitIndex ? 2 : 1);
        await harness.DeliverAsync(bell);
        (await harness.FailuresAsync()).ShouldBeEmpty();
    }

    private static Task DeliverAsync(WorkerHarness harness, object bell) => bell switch
    {
        CommitIndex message => harness.DeliverAsync(message),
        PurgeCdn message => harness.DeliverAsync(message),
        Sweep message => harness.DeliverAsync(message),
        CleanStaging message => harness.DeliverAsync(message),
        UpdateSearch message => harness.DeliverAsync(message),
        _ => throw new ArgumentOutOfRangeException(nameof(bell)),
    };

    private static async Task<string> StandingAsync(WorkerHarness harness)
    {
        await harness.FailuresAsync();
        var rows = await harness.Database.ReadAsync(sql => FailureRow.ListAsync(sql, new FailureQuery()));
        return string.Join('\n', rows.Select(row => $"{row.Stage} {row.Key} {row.Kind}/{row.Code} {row.State}"));
    }

    private static async Task<byte[]> BytesAsync(WorkerHarness harness, string key)
    {
        await using var stored = await harness.Store.OpenAsync(key, null, TestContext.Current.CancellationToken);
        using var copy = new MemoryStream();
        await stored!.Content.CopyToAsync(copy, TestContext.Current.CancellationToken);
        return copy.ToArray();
    }

    private static async Task<long> CrateAsync(WorkerHarness harness, string name) => await harness.Database.WriteAsync(async sql =>
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
        await Revisions.RecordAsync(sql, crate, 1, name, "publish", null, null);
        return crate;
    });
}
