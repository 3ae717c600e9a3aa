using Pipeline.Contracts.Index;
using Pipeline.Contracts.Publishing;
using Pipeline.Contracts.Upkeep;
using Pipeline.Registry.Database;
using Pipeline.Registry.Identity;
using Pipeline.Registry.Store;
using Pipeline.Registry.Truth;
using Pipeline.Tests.Services;
using Pipeline.Workers.Recovery;
using Pipeline.Workers.Tests.Harness;

namespace Pipeline.Workers.Tests.Recovery;

/// <summary>
/// A registry loses its database and gets it back from what lies in the store. "The lost one" is the harness that publishes; the recovered
/// database is another one, new or as an earlier recovery left it, which is what a backup is.
/// </summary>
public sealed class RegistryRecoveryTests
{
    private const string Queues = "read-manifest render-sparse record-crate delete-bytes";

    // Everything of the truth that has a meaning outside its database, in the order of the index file.
    private const string TruthSql =
        """
        SELECT c.name || ' ' || c.state || ' ' || v.num || ' ' || v.state || ' ' || v.checksum || ' ' || v.publish_id || ' ' || v.dependencies || ' ' || v.features || ' '
            || COALESCE(v.license, '-') || ' ' || v.size || ' ' || v.object_key || ' ' || CASE WHEN v.yanked THEN 'yanked ' ELSE '' END || COALESCE(v.yank_message, '-') || ' '
            || CASE WHEN v.freed THEN 'freed ' ELSE '' END || u.login || ' ' || COALESCE(c.default_version, '-') || ' ' || c.num_versions || ' ' || COALESCE(c.description, '-') || ' '
            || COALESCE((SELECT MAX(d.name) FROM dependencies d WHERE d.version_id = v.id), '-')
        FROM versions v JOIN crates c ON c.id = v.crate_id JOIN users u ON u.id = v.published_by ORDER BY c.canonical, v.published_at
        """;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_lost_database_comes_back_whole_from_records_bytes_and_index(bool s3)
    {
        await using var lost = await WorkerHarness.StartAsync(Queues, buckets: s3 ? await S3Buckets.CreateAsync() : null);
        await FillAsync(lost);
        await using var fresh = await WorkerHarness.StartAsync(Queues);

        var report = await new RegistryRecovery(fresh.Database, lost.Store).RunAsync(dryRun: false);

        report.Notes.ShouldBeEmpty();
        (report.VersionsRestored, report.UsersRestored).ShouldBe((7, 2));
        await ShouldBeTheSameAsync(fresh, lost);
        (await fresh.LongAsync("SELECT available_at FROM crates WHERE canonical = 'gone'")).ShouldBe(await lost.LongAsync("SELECT available_at FROM crates WHERE canonical = 'gone'"));
        (await fresh.TextAsync("SELECT epoch FROM registry WHERE read_only")).ShouldBe(report.Epoch);
        // Every projection is rendered again and compared.
        (await fresh.LongAsync("SELECT count(*) FROM projections WHERE reached > 0")).ShouldBe(0);
        // A reader of the new epoch's feed, from its start, is told of every version in force.
        (await fresh.TextsAsync("SELECT name || ' ' || num FROM changes WHERE kind = 'publish' ORDER BY id")).ShouldBe("bar 1.0.0, Foo 1.0.0, Foo 1.1.0, Foo 2.0.0-rc.1");
    }

    [Fact]
    public async Task An_older_backup_is_brought_up_to_what_the_store_and_the_index_know()
    {
        await using var lost = await WorkerHarness.StartAsync(Queues);
        await PublishAsync(lost, "Foo", "1.0.0");
        await PublishAsync(lost, "bar", "0.9.0");
        await using var backup = await WorkerHarness.StartAsync(Queues);
        await new RegistryRecovery(backup.Database, lost.Store).RunAsync(dryRun: false);
        var epoch = await backup.TextAsync("SELECT epoch FROM registry");
        var first = await backup.LongAsync("SELECT revision FROM crates WHERE canonical = 'foo'");

        // The hour that the backup does not know.
        await FillAsync(lost, began: true);
        var report = await new RegistryRecovery(backup.Database, lost.Store).RunAsync(dryRun: false);

        report.Notes.ShouldBeEmpty();
        await ShouldBeTheSameAsync(backup, lost);
        (await backup.LongAsync("SELECT revision FROM crates WHERE canonical = 'foo'")).ShouldNotBeNull().ShouldBeGreaterThan(first!.Value);
        (await backup.TextAsync("SELECT epoch FROM registry")).ShouldNotBe(epoch);
    }

    [Fact]
    public async Task Who_starts_on_an_older_backup_without_recovering_it_gives_no_number_away_and_overwrites_nothing()
    {
        await using var lost = await WorkerHarness.StartAsync(Queues);
        await PublishAsync(lost, "Foo", "1.0.0");
        await using var backup = await WorkerHarness.StartAsync(Queues);
        await CopyAsync(lost, backup);
        var objects = await backup.ObjectsAsync();
        var bytes = await backup.ReadAsync("crates/Foo/Foo-1.0.0.crate");

        var id = await backup.CheckedAsync("Foo", "1.0.0", WorkerHarness.Manifest("Foo", "1.0.0", "# other bytes\n"));
        await backup.DeliverAsync(new ReadManifest(id));

        (await backup.FailuresAsync()).ShouldBe(["fault/LostVersionException"]);
        (await backup.TextAsync("SELECT state FROM publishes WHERE id = $1", id)).ShouldBe("checked");
        (await backup.ReadAsync("crates/Foo/Foo-1.0.0.crate")).ShouldBe(bytes);
        (await backup.ObjectsAsync()).ShouldBe([.. objects, $"staging/{id}.crate"], ignoreOrder: true);

        // Recovered, the publisher is told what became of the number.
        await new RegistryRecovery(backup.Database, backup.Store).RunAsync(dryRun: false);
        await backup.Database.WriteAsync(ReadOnlyState.EndAsync);
        await backup.DeliverAsync(new ReadManifest(id));
        (await backup.TextAsync("SELECT verdict_code FROM publishes WHERE id = $1", id)).ShouldBe("version-exists");
    }

    [Fact]
    public async Task Recovering_again_changes_nothing_but_the_epoch()
    {
        await using var lost = await WorkerHarness.StartAsync(Queues);
        await FillAsync(lost);
        await using var fresh = await WorkerHarness.StartAsync(Queues);
        await new RegistryRecovery(fresh.Database, lost.Store).RunAsync(dryRun: false);
        var changes = await fresh.LongAsync("SELECT count(*) FROM changes");

        var report = await new RegistryRecovery(fresh.Database, lost.Store).RunAsync(dryRun: false);

        (report.CratesRestored, report.VersionsRestored, report.VersionsChanged, report.UsersRestored).ShouldBe((0, 0, 0, 0));
        (await fresh.LongAsync("SELECT count(*) FROM changes")).ShouldBe(changes);
    }

    [Fact]
    public async Task A_dry_run_says_what_it_would_do_and_writes_nothing()
    {
        await using var lost = await WorkerHarness.StartAsync(Queues);
        await FillAsync(lost);
        await using var fresh = await WorkerHarness.StartAsync(Queues);

        var report = await new RegistryRecovery(fresh.Database, lost.Store).RunAsync(dryRun: true);

        (report.Epoch, report.VersionsRestored).ShouldBe((null, 7));
        (await fresh.LongAsync("SELECT (SELECT count(*) FROM crates) + (SELECT count(*) FROM users) + (SELECT count(*) FROM registry)")).ShouldBe(0);
    }

    [Fact]
    public async Task No_number_is_given_twice_and_a_restored_owner_goes_on_publishing()
    {
        await using var lost = await WorkerHarness.StartAsync(Queues);
        await FillAsync(lost);
        await using var fresh = await WorkerHarness.StartAsync(Queues);
        await new RegistryRecovery(fresh.Database, lost.Store).RunAsync(dryRun: false);
        await fresh.Database.WriteAsync(ReadOnlyState.EndAsync);

        // In force, yanked, and deleted: all taken.
        foreach (var number in new[] { "1.0.0", "1.1.0", "1.2.0" })
        {
            var id = await PublishAsync(fresh, "Foo", number, more: "[features]\nother = []\n");
            (await fresh.TextAsync("SELECT verdict_code FROM publishes WHERE id = $1", id)).ShouldBe("version-exists", number);
        }

        var again = await PublishAsync(fresh, "gone", "1.0.0", more: "[features]\nother = []\n");
        (await fresh.TextAsync("SELECT verdict_code FROM publishes WHERE id = $1", again)).ShouldBe("name-not-available");
        var next = await PublishAsync(fresh, "Foo", "3.0.0");
        (await fresh.TextAsync("SELECT state FROM publishes WHERE id = $1", next)).ShouldBe("accepted");
        var stranger = await PublishAsync(fresh, "bar", "3.0.0", user: "stranger");
        (await fresh.TextAsync("SELECT verdict_code FROM publishes WHERE id = $1", stranger)).ShouldBe("not-owner");
    }

    [Fact]
    public async Task A_publish_that_was_accepted_but_not_yet_shown_is_not_lost_and_one_that_never_was_accepted_does_not_appear()
    {
        await using var lost = await WorkerHarness.StartAsync(Queues);
        // Accepted; the database went before the index had it.
        await lost.DeliverAsync(new ReadManifest(await lost.CheckedAsync("late", "1.0.0")));
        // Noted, then refused: another publish of the number came first, with other bytes.
        await PublishAsync(lost, "Foo", "1.0.0");
        var record = (await lost.ObjectsAsync()).Single(key => key.StartsWith("records/Foo/1.0.0.", StringComparison.Ordinal));
        var text = (await lost.ReadAsync(record))!;
        await lost.Store.PutAsync(
            StoreKeys.Record("Foo", "1.0.0", "0197-other"), System.Text.Encoding.UTF8.GetBytes(text.Replace(await ChecksumAsync(lost), new string('0', 64), StringComparison.Ordinal)
                .Replace(record.Split('.')[^2], "0197-other", StringComparison.Ordinal)));
        await using var fresh = await WorkerHarness.StartAsync(Queues);

        var report = await new RegistryRecovery(fresh.Database, lost.Store).RunAsync(dryRun: false);

        report.Notes.ShouldBe([new RecoveryNote("unfinished", "Foo", "1.0.0")]);
        await ShouldBeTheSameAsync(fresh, lost);
        (await fresh.LongAsync("SELECT count(*) FROM versions")).ShouldBe(2);
    }

    [Fact]
    public async Task A_version_whose_record_is_gone_comes_back_from_its_line_and_missing_bytes_are_said()
    {
        await using var lost = await WorkerHarness.StartAsync(Queues);
        await PublishAsync(lost, "bar", "0.9.0");
        await PublishAsync(lost, "Foo", "1.0.0", more: "[dependencies]\nbar = \"0.9\"\n[features]\nyanked = []\n");
        await PublishAsync(lost, "Foo", "1.1.0");
        foreach (var key in (await lost.ObjectsAsync()).Where(static key => key.StartsWith("records/Foo/1.0.0.", StringComparison.Ordinal))) await lost.Store.DeleteAsync(key);
        await lost.Store.PutAsync(StoreKeys.SparseFile("mi/rr/mirrored"), System.Text.Encoding.UTF8.GetBytes("""{"name":"mirrored","vers":"1.0.0","deps":[],"cksum":"00","features":{},"yanked":false}""" + "\n"));
        await lost.Store.DeleteAsync(StoreKeys.Crate("bar", "0.9.0"));
        await using var fresh = await WorkerHarness.StartAsync(Queues);

        var report = await new RegistryRecovery(fresh.Database, lost.Store).RunAsync(dryRun: false);

        report.Notes.ShouldBe([new RecoveryNote("bytes-missing", "bar", "0.9.0"), new RecoveryNote("no-record", "Foo", "1.0.0"), new RecoveryNote("index-only", "mirrored", "*")]);
        (await fresh.LongAsync("SELECT count(*) FROM crates")).ShouldBe(2);
        report.LacksBytes.ShouldBeTrue();
        await ShouldRenderTheSameAsync(fresh, lost);
        (await fresh.TextsAsync("SELECT name FROM dependencies")).ShouldBe("bar");
        (await fresh.TextsAsync("SELECT features FROM versions WHERE publish_id = 'recovered'")).ShouldBe("""{"yanked":[]}""");
    }

    [Fact]
    public async Task Publishes_that_the_backup_had_under_way_end_as_they_did()
    {
        await using var lost = await WorkerHarness.StartAsync(Queues);
        var accepted = await PublishAsync(lost, "Foo", "1.0.0");
        await using var backup = await WorkerHarness.StartAsync(Queues);
        await backup.UserAsync("owner");
        foreach (var (id, num, staged) in new[] { (accepted, "1.0.0", "gone"), ("2", "1.1.0", "gone-too"), ("3", "1.2.0", "there") })
        {
            await backup.ExecuteAsync(
                """
                INSERT INTO publishes (id, canonical, name, num, num_no_build, checksum, size, user_id, claims, staging_key, state, received_at, parked_at, deadline_at)
                VALUES ($1, 'foo', 'Foo', $2, $2, 'c', 1, 1, '{}', $3, 'parked', 0, 0, now_us() + 60000000)
                """,
                id, num, $"staging/{staged}.crate");
        }

        await lost.Store.PutAsync("staging/there.crate", "x"u8.ToArray());

        var report = await new RegistryRecovery(backup.Database, lost.Store).RunAsync(dryRun: false);

        (report.PublishesAccepted, report.PublishesGivenUp).ShouldBe((1, 1));
        (await backup.TextsAsync("SELECT state FROM publishes ORDER BY num")).ShouldBe("accepted, rejected, parked");
    }

    [Fact]
    public async Task While_it_is_read_only_no_parked_publish_is_decided()
    {
        await using var harness = await WorkerHarness.StartAsync(Queues);
        await harness.Database.WriteAsync(static sql => ReadOnlyState.BeginEpochAsync(sql, "test"));
        var id = await harness.CheckedAsync("Foo", "1.0.0");
        await harness.DeliverAsync(new ReadManifest(id));
        (await harness.FailuresAsync()).ShouldBe(["transient/read-only"]);
        (await harness.TextAsync("SELECT state FROM publishes")).ShouldBe("checked");

        await harness.Database.WriteAsync(ReadOnlyState.EndAsync);
        await harness.DeliverAsync(new ReadManifest(id));
        (await harness.TextAsync("SELECT state FROM publishes")).ShouldBe("accepted");
    }

    /// <summary>Versions in force, yanked, deleted, made again; a deleted crate; an owner more. Records and index as the workers write them.</summary>
    private static async Task FillAsync(WorkerHarness harness, bool began = false)
    {
        if (!began) await PublishAsync(harness, "Foo", "1.0.0");
        if (!began) await PublishAsync(harness, "bar", "0.9.0");
        await PublishAsync(harness, "Foo", "1.1.0", more: "[dependencies]\nbar = \"0.9\"\n[features]\nyanked = []\n");
        await PublishAsync(harness, "Foo", "1.2.0");
        await PublishAsync(harness, "Foo", "2.0.0-rc.1");
        await PublishAsync(harness, "gone", "1.0.0");
        await harness.UserAsync("bob");
        await ChangeAsync(harness, "Foo", static async (sql, crate) => (await VersionYank.SetAsync(sql, (await CrateLookup.VersionAsync(sql, crate, "1.1.0"))!, true, "broken", Actor.System))!);
        await ChangeAsync(harness, "Foo", static async (sql, crate) => await CrateDeletion.DeleteVersionAsync(sql, (await CrateLookup.VersionAsync(sql, crate, "1.2.0"))!, false, Actor.System, null));
        await ChangeAsync(harness, "gone", static (sql, crate) => CrateDeletion.DeleteAsync(sql, crate, TimeSpan.FromHours(24), Actor.System, null));
        // Deleted, freed, and made again by somebody else, who takes an owner on.
        await ChangeAsync(harness, "bar", static (sql, crate) => CrateDeletion.DeleteAsync(sql, crate, TimeSpan.Zero, Actor.System, null));
        await PublishAsync(harness, "bar", "1.0.0", user: "bob");
        await ChangeAsync(harness, "bar", static async (sql, crate) => (await CrateOwners.AddAsync(sql, crate, ["owner"], Actor.System)).Revised!);
    }

    private static async Task<string> PublishAsync(WorkerHarness harness, string name, string version, string user = "owner", string more = "")
    {
        var id = await harness.CheckedAsync(name, version, WorkerHarness.Manifest(name, version, more), user, """{"dependencies":[],"allowMissingDependencies":true}""");
        await harness.DeliverAsync(new ReadManifest(id));
        await SettleAsync(harness, name);
        return id;
    }

    private static async Task CopyAsync(WorkerHarness from, WorkerHarness to)
    {
        foreach (var key in await from.ObjectsAsync())
        {
            await using var stored = (await from.Store.OpenAsync(key))!;
            await to.Store.CreateAsync(key, stored.Content, stored.Length);
        }
    }

    private static async Task ChangeAsync(WorkerHarness harness, string name, Func<Statements, FoundCrate, ValueTask<Revised>> change)
    {
        await harness.Database.WriteAsync(async sql => await change(sql, (await CrateLookup.LockCrateAsync(sql, name))!));
        await SettleAsync(harness, name);
    }

    private static async Task SettleAsync(WorkerHarness harness, string name)
    {
        if (await harness.LongAsync("SELECT id FROM crates WHERE canonical = $1", Contracts.CanonicalName.Of(name).Text) is not { } id) return;
        await harness.DeliverAsync(new RenderSparse(id));
        await harness.DeliverAsync(new RecordCrate(id));
        await harness.ExecuteAsync("UPDATE projections SET reached = wanted WHERE kind = 'git'");
        await harness.DeliverAsync(new DeleteBytes(id));
    }

    private static async Task<string> ChecksumAsync(WorkerHarness harness) => (await harness.TextAsync("SELECT checksum FROM versions v JOIN crates c ON c.id = v.crate_id WHERE c.name = 'Foo'"))!;

    private static async Task ShouldBeTheSameAsync(WorkerHarness recovered, WorkerHarness lost)
    {
        (await recovered.TextsAsync(TruthSql)).ShouldBe(await lost.TextsAsync(TruthSql));
        const string owners = "SELECT c.name || ' ' || u.login FROM owners o JOIN crates c ON c.id = o.crate_id JOIN users u ON u.id = o.user_id ORDER BY c.name, u.login";
        (await recovered.TextsAsync(owners)).ShouldBe(await lost.TextsAsync(owners));
        await ShouldRenderTheSameAsync(recovered, lost);
    }

    private static async Task ShouldRenderTheSameAsync(WorkerHarness recovered, WorkerHarness lost)
    {
        foreach (var name in await lost.Database.ReadAsync(static sql => sql.QueryAsync("SELECT canonical FROM crates", static row => row.Text(0))))
            (await FileAsync(recovered, name)).ShouldBe(await FileAsync(lost, name), name);
    }

    private static async Task<string> FileAsync(WorkerHarness harness, string canonical)
    {
        var id = await harness.LongAsync("SELECT id FROM crates WHERE canonical = $1", canonical);
        var snapshot = await harness.Database.ReadAsync(sql => IndexLines.ReadAsync(sql, id!.Value));
        return snapshot?.Content is { } content ? System.Text.Encoding.UTF8.GetString(content) : "";
    }
}
