using Pipeline.Contracts.Publishing;
using Pipeline.Contracts.Upkeep;
using Pipeline.Registry.Identity;
using Pipeline.Registry.Store;
using Pipeline.Registry.Truth;
using Pipeline.Workers.Records;
using Pipeline.Workers.Tests.Harness;

namespace Pipeline.Workers.Tests.Records;

public sealed class RecordCrateConsumerTests
{
    [Fact]
    public async Task Owners_yanks_and_deletions_are_written_beside_the_bytes()
    {
        await using var harness = await PublishedAsync();
        await harness.UserAsync("bob");
        await harness.Database.WriteAsync(async sql => await CrateOwners.AddAsync(sql, (await CrateLookup.LockCrateAsync(sql, "Foo"))!, ["bob"], Actor.System));
        await YankAsync(harness, "1.0.0", "broken");
        await DeleteAsync(harness, "1.1.0");

        await harness.DeliverAsync(new RecordCrate(1));

        var record = await ReadAsync(harness, 6);
        record.Owners.ShouldBe(["owner", "bob"]);
        record.State.ShouldBe("active");
        record.Versions.Select(version => (version.Num, version.Deleted, version.Yanked, version.YankMessage))
            .ShouldBe([("1.0.0", false, true, "broken"), ("1.1.0", true, false, null)]);
        (await harness.LongAsync("SELECT reached FROM projections WHERE kind = 'record'")).ShouldBe(6);
        (await harness.LongAsync("SELECT count(*) FROM projections WHERE kind = 'record' AND behind_since IS NOT NULL")).ShouldBe(0);
    }

    [Fact]
    public async Task Delivering_it_again_writes_nothing_and_an_older_record_is_never_written_over()
    {
        await using var harness = await PublishedAsync();
        await YankAsync(harness, "1.0.0", null);
        await harness.DeliverAsync(new RecordCrate(1));
        var objects = await harness.ObjectsAsync();
        await harness.DeliverAsync(new RecordCrate(1));
        (await harness.ObjectsAsync()).ShouldBe(objects);

        // As after a crash between the record and its note.
        var before = await harness.ReadAsync(StoreKeys.CrateRecord("Foo", 4));
        await harness.ExecuteAsync("UPDATE projections SET reached = 0 WHERE kind = 'record'");
        await harness.ExecuteAsync("UPDATE crates SET created_at = 5");
        await harness.DeliverAsync(new RecordCrate(1));
        (await harness.ReadAsync(StoreKeys.CrateRecord("Foo", 4))).ShouldBe(before);
    }

    [Fact]
    public async Task A_publish_alone_has_no_such_record()
    {
        await using var harness = await PublishedAsync();
        (await harness.LongAsync("SELECT count(*) FROM projections WHERE kind = 'record'")).ShouldBe(0);
        await harness.DeliverAsync(new RecordCrate(1));
        (await harness.ObjectsAsync()).ShouldNotContain(key => key.Contains("crate.0", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_store_that_is_away_puts_the_row_off_and_the_sweep_finds_it()
    {
        await using var harness = await PublishedAsync();
        await YankAsync(harness, "1.0.0", null);
        harness.Store.Failure = FaultyStore.Away;

        await harness.DeliverAsync(new RecordCrate(1));

        (await harness.FailuresAsync()).ShouldBe(["transient/store-away"]);
        (await harness.LongAsync("SELECT next_try_at - now_us() FROM projections WHERE kind = 'record'")).ShouldNotBeNull().ShouldBeGreaterThan(0);
    }

    [Fact]
    public async Task A_fault_parks_the_row()
    {
        await using var harness = await PublishedAsync();
        await YankAsync(harness, "1.0.0", null);
        await harness.ExecuteAsync("ALTER TABLE owners RENAME TO owners_away");

        await harness.DeliverAsync(new RecordCrate(1));

        (await harness.FailuresAsync()).ShouldBe([$"fault/{WorkerHarness.DatabaseError}"]);
        await harness.ExecuteAsync("ALTER TABLE owners_away RENAME TO owners");
    }

    /// <summary>Foo 1.0.0, 1.1.0 and 1.2.0.</summary>
    private static async Task<WorkerHarness> PublishedAsync()
    {
        var harness = await WorkerHarness.StartAsync("read-manifest record-crate");
        foreach (var version in new[] { "1.0.0", "1.1.0", "1.2.0" }) await harness.DeliverAsync(new ReadManifest(await harness.CheckedAsync("Foo", version)));
        return harness;
    }

    private static async Task YankAsync(WorkerHarness harness, string num, string? message) => await harness.Database.WriteAsync(async sql =>
        await VersionYank.SetAsync(sql, (await CrateLookup.VersionAsync(sql, (await CrateLookup.LockCrateAsync(sql, "Foo"))!, num))!, true, message, Actor.System));

    private static async Task DeleteAsync(WorkerHarness harness, string num) => await harness.Database.WriteAsync(async sql =>
        await CrateDeletion.DeleteVersionAsync(sql, (await CrateLookup.VersionAsync(sql, (await CrateLookup.LockCrateAsync(sql, "Foo"))!, num))!, false, Actor.System, null));

    private static async Task<CrateRecord> ReadAsync(WorkerHarness harness, long revision) =>
        CrateRecord.Parse(System.Text.Encoding.UTF8.GetBytes((await harness.ReadAsync(StoreKeys.CrateRecord("Foo", revision)))!));
}
