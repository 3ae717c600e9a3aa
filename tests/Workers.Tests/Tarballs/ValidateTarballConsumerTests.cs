using Pipeline.Contracts.Publishing;
using Pipeline.Registry.Store;
using Pipeline.Workers.Tests.Harness;

namespace Pipeline.Workers.Tests.Tarballs;

public sealed class ValidateTarballConsumerTests
{
    private const string Queue = "validate-tarball";

    [Fact]
    public async Task A_parked_publish_gets_its_facts_and_goes_to_the_manifest_stage()
    {
        await using var harness = await WorkerHarness.StartAsync(Queue);
        var id = await harness.ParkAsync("foo", "1.0.0");

        await harness.DeliverAsync(new ValidateTarball(id));

        (await harness.TextAsync("SELECT state FROM publishes")).ShouldBe("checked");
        (await harness.TextAsync("SELECT facts FROM publishes"))!.ShouldContain("Cargo.toml");
        harness.Bells.Rung.ShouldBe([new ReadManifest(id)]);
    }

    [Fact]
    public async Task Delivering_it_again_writes_and_rings_nothing()
    {
        await using var harness = await WorkerHarness.StartAsync(Queue);
        var id = await harness.ParkAsync("foo", "1.0.0");
        await harness.DeliverAsync(new ValidateTarball(id));
        var before = await harness.TextAsync("SELECT facts || tarball_done_at FROM publishes");
        harness.Bells.Clear();

        await harness.DeliverAsync(new ValidateTarball(id));

        (await harness.TextAsync("SELECT facts || tarball_done_at FROM publishes")).ShouldBe(before);
        harness.Bells.Rung.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_bad_archive_is_a_fact_for_the_manifest_stage_and_no_failure()
    {
        await using var harness = await WorkerHarness.StartAsync(Queue);
        var id = await harness.ParkBytesAsync("foo", "1.0.0", "not a gzip file"u8.ToArray());

        await harness.DeliverAsync(new ValidateTarball(id));

        (await harness.TextAsync("SELECT facts FROM publishes"))!.ShouldContain("malformed");
        harness.Bells.Rung.ShouldBe([new ReadManifest(id)]);
    }

    [Fact]
    public async Task Staged_bytes_that_are_gone_park_the_publish_as_a_fault()
    {
        await using var harness = await WorkerHarness.StartAsync(Queue);
        var id = await harness.ParkAsync("foo", "1.0.0");
        await harness.Store.DeleteAsync(StoreKeys.Staged(id));

        await harness.DeliverAsync(new ValidateTarball(id));

        (await harness.FailuresAsync()).ShouldBe(["fault/InvalidOperationException"]);
        (await harness.TextAsync("SELECT state FROM publishes")).ShouldBe("parked");
        (await harness.LongAsync("SELECT count(*) FROM publishes WHERE next_try_at > now_us() + 1000000000000")).ShouldBe(1);
    }

    [Fact]
    public async Task A_full_next_stage_leaves_the_row_unrung_for_the_sweep()
    {
        await using var harness = await WorkerHarness.StartAsync(Queue);
        harness.Bells.Room = false;
        var id = await harness.ParkAsync("foo", "1.0.0");

        await harness.DeliverAsync(new ValidateTarball(id));

        harness.Bells.Rung.ShouldBeEmpty();
        (await harness.LongAsync("SELECT count(*) FROM publishes WHERE state = 'checked' AND rung_at IS NULL")).ShouldBe(1);
    }
}
