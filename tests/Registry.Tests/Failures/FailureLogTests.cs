using Microsoft.Extensions.Logging.Abstractions;
using Pipeline.Contracts.Publishing;
using Pipeline.Registry.Bus;
using Pipeline.Registry.Failures;

namespace Pipeline.Registry.Tests.Failures;

public class FailureLogTests
{
    private static readonly Stage Stage = new("validate-tarball", typeof(ValidateTarball), static bell => ((ValidateTarball)bell).PublishId, null);

    [Fact]
    public async Task A_failure_noted_by_one_process_is_resolved_by_the_success_of_another_at_its_next_try()
    {
        await using var temp = await TempDatabase.CreateAsync();
        var (one, two) = (LogOf(temp), LogOf(temp));
        await two.ResolveAsync(Stage, "other");

        var delay = (await one.RecordAsync(Stage, "key", new TransientException("store-away", "away"))).ShouldNotBeNull();
        temp.Clock.Advance(delay);
        await two.ResolveAsync(Stage, "key");

        (await temp.LongAsync("SELECT count(*) FROM failures WHERE resolved_at IS NULL")).ShouldBe(0);
    }

    [Fact]
    public async Task The_failure_of_one_key_stands_while_others_succeed()
    {
        await using var temp = await TempDatabase.CreateAsync();
        var log = LogOf(temp);
        await log.RecordAsync(Stage, "key", new InvalidDataException("broken"));

        await log.ResolveAsync(Stage, "other");

        (await temp.TextAsync("SELECT key || ' ' || code FROM failures WHERE resolved_at IS NULL")).ShouldBe("key InvalidDataException");
    }

    [Fact]
    public async Task A_transient_failure_of_what_another_run_has_done_meanwhile_does_not_stand_and_a_fault_does()
    {
        await using var temp = await TempDatabase.CreateAsync();
        // No upstream of that name waits.
        var stage = Stage with { DelaySql = "UPDATE upstreams SET last_error = $2, next_try_at = $3 WHERE name = $1" };
        var log = LogOf(temp);

        await log.RecordAsync(stage, "done", new TransientException("store-away", "away"));
        await log.RecordAsync(stage, "done", new InvalidDataException("broken"));

        (await temp.TextAsync("SELECT code FROM failures WHERE resolved_at IS NULL")).ShouldBe("InvalidDataException");
        (await temp.LongAsync("SELECT count(*) FROM failures")).ShouldBe(2);
    }

    private static FailureLog LogOf(TempDatabase temp) => new(temp.Database, NullLogger<FailureLog>.Instance, temp.Clock);
}
