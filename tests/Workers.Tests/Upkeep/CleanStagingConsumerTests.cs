using Pipeline.Contracts;
using Pipeline.Contracts.Upkeep;
using Pipeline.Registry.Store;
using Pipeline.Workers.Tests.Harness;

namespace Pipeline.Workers.Tests.Upkeep;

public sealed class CleanStagingConsumerTests
{
    private const string Queue = "clean-staging";
    private static readonly DateTimeOffset Slot = new(2026, 1, 2, 12, 10, 0, TimeSpan.Zero);

    [Fact]
    public async Task Bytes_of_decided_publishes_go_and_those_of_undecided_ones_and_young_ones_stay()
    {
        await using var harness = await WorkerHarness.StartAsync(Queue);
        var undecided = await harness.ParkAsync("foo", "1.0.0");
        var decided = await harness.ParkAsync("bar", "1.0.0");
        await harness.ExecuteAsync("UPDATE publishes SET decided_at = now_us() WHERE id = $1", decided);
        var young = await StageAsync(harness);

        await harness.DeliverAsync(new CleanStaging());

        (await harness.ObjectsAsync()).ShouldBe([StoreKeys.Staged(undecided), young], ignoreOrder: true);
    }

    [Fact]
    public async Task A_slot_that_was_done_does_nothing_when_it_is_sent_again()
    {
        await using var harness = await WorkerHarness.StartAsync(Queue);
        await harness.DeliverAsync(new CleanStaging(Slot));
        var decided = await harness.ParkAsync("bar", "1.0.0");
        await harness.ExecuteAsync("UPDATE publishes SET decided_at = now_us() WHERE id = $1", decided);

        await harness.DeliverAsync(new CleanStaging(Slot));
        (await harness.ObjectsAsync()).ShouldBe([StoreKeys.Staged(decided)]);

        await harness.DeliverAsync(new CleanStaging(Slot.AddMinutes(10)));
        (await harness.ObjectsAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_database_that_fails_is_a_failure_and_the_slot_is_not_done()
    {
        await using var harness = await WorkerHarness.StartAsync(Queue);
        await harness.ExecuteAsync("DROP TABLE publishes");
        await StageAsync(harness);

        await harness.DeliverAsync(new CleanStaging(Slot));

        (await harness.FailuresAsync()).ShouldHaveSingleItem();
        (await harness.LongAsync("SELECT COUNT(*) FROM schedule_slots")).ShouldBe(0);
    }

    private static async Task<string> StageAsync(WorkerHarness harness)
    {
        var key = StoreKeys.Staged(PublishId.New().ToString());
        using var content = new MemoryStream([1]);
        await harness.Store.CreateAsync(key, content, 1);
        return key;
    }
}
