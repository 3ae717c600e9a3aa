using Microsoft.Extensions.DependencyInjection;
using Pipeline.Contracts.Publishing;
using Pipeline.Registry.Store;
using Pipeline.Registry.Truth;
using Pipeline.Workers.Manifests;
using Pipeline.Workers.Tests.Harness;
using Pipeline.Workers.Tests.Tarballs;

namespace Pipeline.Workers.Tests.Manifests;

public sealed class ParkedCopiesTests
{
    private static readonly byte[] Archive = new ArchiveBuilder().File("foo-1.0.0/Cargo.toml", WorkerHarness.Manifest("foo", "1.0.0")).File("foo-1.0.0/src/lib.rs").ToGzip();

    [Fact]
    public async Task The_parked_copy_is_dropped_behind_the_sync()
    {
        await using var harness = await WorkerHarness.StartAsync("validate-tarball read-manifest");
        var id = await ParkInDatabaseAsync(harness);
        var before = harness.Store.Syncs;

        await PublishAsync(harness, id);

        (await harness.TextAsync("SELECT state FROM publishes")).ShouldBe("accepted");
        (await harness.LongAsync("SELECT count(*) FROM staged_bodies")).ShouldBe(0);
        harness.Store.Syncs.ShouldBeGreaterThan(before);
    }

    [Fact]
    public async Task While_the_sync_fails_the_copy_stays_and_the_next_start_writes_the_files_again()
    {
        await using var harness = await WorkerHarness.StartAsync("validate-tarball read-manifest");
        var id = await ParkInDatabaseAsync(harness);
        harness.Store.SyncFailure = FaultyStore.Away;

        await PublishAsync(harness, id);

        (await harness.TextAsync("SELECT state FROM publishes")).ShouldBe("accepted");
        (await harness.LongAsync("SELECT count(*) FROM staged_bodies")).ShouldBe(1);
        await harness.FailuresAsync();

        // What a power cut can leave: a file without content, and none at all.
        harness.Store.SyncFailure = null;
        await harness.Store.PutAsync(StoreKeys.Crate("foo", "1.0.0"), default);
        await harness.Store.DeleteAsync(StoreKeys.Record("foo", "1.0.0", id));
        (await Copies(harness).WriteAgainAsync(long.MaxValue, TestContext.Current.CancellationToken)).ShouldBe(1);

        (await ((IObjectStore)harness.Store).HoldsAsync(StoreKeys.Crate("foo", "1.0.0"), Archive)).ShouldBeTrue();
        (await harness.ReadAsync(StoreKeys.Record("foo", "1.0.0", id))).ShouldNotBeNull();
        (await harness.LongAsync("SELECT count(*) FROM staged_bodies")).ShouldBe(0);
        (await Copies(harness).WriteAgainAsync(long.MaxValue, TestContext.Current.CancellationToken)).ShouldBe(0, "a second time there is nothing to do");
    }

    [Fact]
    public async Task A_verdict_resolves_the_failures_before_it_though_its_batch_does_not_come_to_its_end()
    {
        await using var harness = await WorkerHarness.StartAsync("validate-tarball read-manifest");
        var id = await ParkInDatabaseAsync(harness);
        await harness.ExecuteAsync("INSERT INTO failures (stage, key, kind, code, text, first_seen, last_seen) VALUES ('read-manifest', $1, 'transient', 'store-full', 'full', 0, 0)", id);
        harness.Store.SyncFailure = FaultyStore.Away;

        await PublishAsync(harness, id);

        (await harness.TextAsync("SELECT state FROM publishes")).ShouldBe("accepted");
        (await harness.LongAsync("SELECT count(*) FROM failures WHERE code = 'store-full' AND resolved_at IS NULL")).ShouldBe(0);
        await harness.FailuresAsync();
    }

    [Fact]
    public async Task The_copy_of_a_publish_without_a_verdict_is_left_alone()
    {
        await using var harness = await WorkerHarness.StartAsync("validate-tarball");
        await ParkInDatabaseAsync(harness);

        (await Copies(harness).WriteAgainAsync(long.MaxValue, TestContext.Current.CancellationToken)).ShouldBe(0);
        (await harness.LongAsync("SELECT count(*) FROM staged_bodies")).ShouldBe(1);
    }

    [Fact]
    public async Task The_copy_of_a_refused_publish_goes_with_its_verdict()
    {
        await using var harness = await WorkerHarness.StartAsync("validate-tarball read-manifest");
        var id = await ParkInDatabaseAsync(harness, "not a gzip file"u8.ToArray());

        await PublishAsync(harness, id);

        (await harness.TextAsync("SELECT state FROM publishes")).ShouldBe("rejected");
        (await harness.LongAsync("SELECT count(*) FROM staged_bodies")).ShouldBe(0);
    }

    private static ParkedCopies Copies(WorkerHarness harness) => harness.Services.GetRequiredService<ParkedCopies>();

    private static async Task PublishAsync(WorkerHarness harness, string id)
    {
        await harness.DeliverAsync(new ValidateTarball(id));
        await harness.DeliverAsync(new ReadManifest(id));
    }

    /// <summary>Parks a publish as intake parks a small one: with its bytes in the database.</summary>
    private static async Task<string> ParkInDatabaseAsync(WorkerHarness harness, byte[]? archive = null)
    {
        var id = await harness.ParkBytesAsync("foo", "1.0.0", archive ?? Archive);
        await harness.Store.DeleteAsync(StoreKeys.Staged(id));
        await harness.Database.WriteAsync(sql => Publishes.ParkBodyAsync(sql, id, archive ?? Archive));
        return id;
    }
}
