using Pipeline.Registry.Database;
using Pipeline.Registry.Schedules;
using Pipeline.Registry.Tests.Git;
using Pipeline.Tests.Services;

namespace Pipeline.Registry.Tests.Schedules;

/// <summary>Schedulers that share a real PostgreSQL.</summary>
[Trait("Engine", "postgres")]
public sealed class ClusteredScheduleTests : IAsyncLifetime
{
    private PostgresCopy _copy = null!;
    private PostgresDatabase _database = null!;

    public async ValueTask InitializeAsync()
    {
        _copy = await PostgresCopies.CreateAsync();
        _database = _copy.Open();
        await ScheduleTables.EnsureAsync(_database, TestContext.Current.CancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        await _database.DisposeAsync();
        await _copy.DisposeAsync();
    }

    [Fact]
    public async Task Making_the_tables_again_changes_nothing()
    {
        var before = await TablesAsync();
        await ScheduleTables.EnsureAsync(_database, TestContext.Current.CancellationToken);
        (await TablesAsync()).ShouldBe(before);
        before.ShouldContain("qrtz_triggers");
    }

    [Fact]
    public async Task Of_two_schedulers_one_fires_each_slot()
    {
        var ticks = new Ticks();
        var hosts = await Task.WhenAll(Enumerable.Range(0, 2).Select(_ => SchedulerProcess.StartAsync(_copy.Options.Postgres, ticks, ticks.Schedule())));
        var slots = await ticks.NextAsync(8);
        // One that comes later finds the schedule there and leaves it as it is.
        using var third = await SchedulerProcess.StartAsync(_copy.Options.Postgres, ticks, ticks.Schedule());
        slots.AddRange(await ticks.NextAsync(4));

        slots.ShouldBe(Enumerable.Range(0, slots.Count).Select(i => slots[0].AddSeconds(i)));
        foreach (var host in hosts.Append(third))
        {
            await host.StopAsync();
            host.Dispose();
        }
    }

    [Fact]
    public async Task When_a_scheduler_is_killed_while_it_fires_another_fires_that_slot_again_and_goes_on()
    {
        // It dies as SIGKILL ends it, in its third firing, before anything is sent.
        using (var first = SecondProcess.Start("schedule", _copy.Options.Postgres!.Reveal(), ("PIPELINE_DIE_AT", "schedule.fired:3")))
        {
            using var watch = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
            watch.CancelAfter(TimeSpan.FromSeconds(90));
            await first.WaitForExitAsync(watch.Token);
            first.ExitCode.ShouldBe(128 + 9);
        }

        var unfinished = await _database.ReadAsync(sql => sql.LongAsync("SELECT sched_time FROM qrtz_fired_triggers WHERE trigger_name = 'tick' AND state = 'EXECUTING'"));
        var slot = Schedule.SlotOf(new DateTimeOffset(unfinished!.Value, TimeSpan.Zero));
        var ticks = new Ticks();
        using var second = await SchedulerProcess.StartAsync(_copy.Options.Postgres, ticks, ticks.Schedule());
        var slots = await ticks.NextAsync(6);

        slots.ShouldContain(slot, "to the second, although the second firing of it was made up");
        slots.ShouldBeUnique();
        await second.StopAsync();
    }

    [Fact]
    public async Task An_interval_that_was_changed_is_taken_over_at_the_next_start()
    {
        var ticks = new Ticks();
        var slow = ticks.Schedule() with { Every = TimeSpan.FromHours(1) };
        using (var first = await SchedulerProcess.StartAsync(_copy.Options.Postgres, ticks, slow))
        {
            (await ticks.NextAsync()).ShouldBeNull();
            await first.StopAsync();
        }

        using var second = await SchedulerProcess.StartAsync(_copy.Options.Postgres, ticks, ticks.Schedule());
        var slots = await ticks.NextAsync(2);
        slots[1].ShouldBe(slots[0].AddSeconds(1));
        await second.StopAsync();
    }

    private async Task<string> TablesAsync() => string.Join(' ', await _database.ReadAsync(sql => sql.QueryAsync(
        "SELECT relname::text || relkind::text || (SELECT COUNT(*) FROM pg_attribute a WHERE a.attrelid = c.oid)::text FROM pg_class c WHERE relname LIKE 'qrtz%' OR relname LIKE 'idx_qrtz%' ORDER BY 1", static row => row.Text(0))));
}
