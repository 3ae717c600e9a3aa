using Pipeline.Registry.Schedules;

namespace Pipeline.Registry.Tests.Schedules;

public sealed class ScheduleTests
{
    private static readonly DateTimeOffset Noon = new(2026, 1, 2, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(10, 0, 10)]
    [InlineData(10, 3.7, 10)]
    [InlineData(10, 9.9999999, 10)]
    [InlineData(600, 3.7, 600)]
    [InlineData(7, 0, 1)] // multiples are counted from the beginning of time, not from noon
    public void Slots_lie_at_multiples_of_the_interval_whoever_counts_them(double every, double now, double next) =>
        Schedule.Of("x", every, "k", (_, _) => default).After(Noon.AddSeconds(now)).ShouldBe(Noon.AddSeconds(next));

    [Theory]
    [InlineData(0, 0)]
    [InlineData(9_318, 0)]
    [InlineData(499_999, 0)]
    [InlineData(-9_318, 0)]
    [InlineData(500_000, 1)]
    public void A_firing_belongs_to_the_second_it_is_nearest_to(long microseconds, int second) =>
        Schedule.SlotOf(Noon.AddMicroseconds(microseconds)).ShouldBe(Noon.AddSeconds(second));

    [Fact]
    public void Slots_closer_than_they_can_be_told_apart_stop_the_start_with_the_key() =>
        Should.Throw<InvalidOperationException>(() => Schedule.Of("x", 0.5, "Workers:SweepSeconds", (_, _) => default)).Message.ShouldContain("Workers:SweepSeconds");

    [Fact]
    public async Task A_slot_is_done_once_and_remembered_for_a_while()
    {
        await using var truth = await TempDatabase.CreateAsync();
        var slots = new ScheduleSlots(truth.Database, new ScheduleOptions { KeepSlotsHours = 1 });
        (await slots.IsDoneAsync("sweep", Noon)).ShouldBeFalse();
        await slots.DoneAsync("sweep", Noon);
        await slots.DoneAsync("sweep", Noon);
        (await slots.IsDoneAsync("sweep", Noon)).ShouldBeTrue();
        (await slots.IsDoneAsync("other", Noon)).ShouldBeFalse();

        await slots.DoneAsync("sweep", null);
        (await slots.IsDoneAsync("sweep", null)).ShouldBeFalse("what no schedule sent is always new");

        await slots.DoneAsync("sweep", Noon.AddHours(2));
        (await truth.LongAsync("SELECT COUNT(*) FROM schedule_slots")).ShouldBe(1);
    }

    [Fact]
    public async Task Alone_the_scheduler_fires_at_its_slots_and_once_at_the_start()
    {
        var ticks = new Ticks();
        using var host = await SchedulerProcess.StartAsync(null, ticks, ticks.Schedule());
        (await ticks.NextAsync()).ShouldBeNull();
        var slots = await ticks.NextAsync(3);
        slots.ShouldBe([slots[0], slots[0].AddSeconds(1), slots[0].AddSeconds(2)]);
        slots[0].Ticks.ShouldBe(slots[0].Ticks / TimeSpan.TicksPerSecond * TimeSpan.TicksPerSecond);
        await host.StopAsync();
    }
}
