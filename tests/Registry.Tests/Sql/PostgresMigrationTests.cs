using Npgsql;
using Pipeline.Contracts;
using Pipeline.Registry.Database;
using Pipeline.Tests.Services;

namespace Pipeline.Registry.Tests.Sql;

[Trait("Engine", "postgres")]
public sealed class PostgresMigrationTests
{
    [Fact]
    public async Task Of_16_processes_that_migrate_at_once_one_applies_each_step_and_the_others_wait_for_it()
    {
        await using var copy = await PostgresCopies.CreateEmptyAsync();
        var processes = Enumerable.Range(0, 16).Select(_ => copy.Open()).ToList();

        var applied = await Task.WhenAll(processes.Select(process => Migrator.MigrateAsync(process).AsTask()));

        applied.Where(steps => steps.Count > 0).ShouldHaveSingleItem().ShouldContain("0001_registry.sql");
        foreach (var process in processes) await process.DisposeAsync();
    }

    [Fact]
    public async Task Whether_steps_are_missing_is_found_out_without_the_right_to_write()
    {
        await using var copy = await PostgresCopies.CreateEmptyAsync();
        var reading = new NpgsqlConnectionStringBuilder(copy.Options.Postgres!.Reveal()) { Options = "-c default_transaction_read_only=on" };
        await using var reader = new PostgresDatabase(copy.Options with { Postgres = new Secret(reading.ConnectionString) });
        (await Migrator.RefusalAsync(reader)).ShouldNotBeNull().ShouldStartWith("the database lacks 0001_registry.sql, ");

        await using var writer = copy.Open();
        await Migrator.MigrateAsync(writer);
        (await Migrator.RefusalAsync(reader)).ShouldBeNull();
    }
}
