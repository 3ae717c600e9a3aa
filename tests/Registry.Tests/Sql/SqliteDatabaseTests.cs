using Microsoft.Data.Sqlite;
using Pipeline.Registry.Database;

namespace Pipeline.Registry.Tests.Sql;

[Trait("Engine", "sqlite")]
public sealed class SqliteDatabaseTests
{
    [Fact]
    public async Task A_write_that_has_answered_is_seen_by_the_next_read()
    {
        await using var temp = await TempDatabase.CreateAsync(onPostgres: false);
        await temp.Database.WriteAsync(sql => sql.ExecuteAsync("INSERT INTO reserved_names (canonical) VALUES ($1)", "a"));

        (await CountAsync(temp.Database)).ShouldBe(1);
    }

    [Fact]
    public async Task A_transaction_that_throws_takes_nothing_of_its_group_with_it()
    {
        await using var temp = await TempDatabase.CreateAsync(onPostgres: false);
        var writes = Enumerable.Range(0, 200).Select(async i =>
        {
            try
            {
                await temp.Database.WriteAsync(async sql =>
                {
                    await sql.ExecuteAsync("INSERT INTO reserved_names (canonical) VALUES ($1)", $"n{i}");
                    return i % 3 == 0 ? throw new FormatException() : i;
                });
                return true;
            }
            catch (FormatException)
            {
                return false;
            }
        });

        var kept = (await Task.WhenAll(writes)).Count(kept => kept);

        kept.ShouldBe(133);
        (await CountAsync(temp.Database)).ShouldBe(133);
    }

    [Fact]
    public async Task A_commit_is_synced_when_one_of_its_transactions_asks_for_it_and_else_is_not()
    {
        await using var temp = await TempDatabase.CreateAsync(onPostgres: false);
        const string Level = "PRAGMA synchronous";
        const long Normal = 1, Full = 2;
        for (var i = 0; i < 3; i++)
        {
            (await temp.Database.WriteUnsyncedAsync(static sql => sql.LongAsync(Level))).ShouldBe(Normal);
            (await temp.Database.WriteAsync(static sql => sql.LongAsync(Level))).ShouldBe(Full);
        }

        var (entered, gate) = (new TaskCompletionSource(), new ManualResetEventSlim());
        var holder = temp.Database.WriteUnsyncedAsync(_ =>
        {
            entered.SetResult();
            gate.Wait(TestContext.Current.CancellationToken);
            return ValueTask.FromResult(0);
        }).AsTask();
        await entered.Task.WaitAsync(TestContext.Current.CancellationToken);
        var unsynced = temp.Database.WriteUnsyncedAsync(static sql => sql.LongAsync(Level)).AsTask();
        var synced = temp.Database.WriteAsync(static sql => sql.LongAsync(Level)).AsTask();
        gate.Set();
        await holder;
        (await unsynced).ShouldBe(Full, "it shares the commit of one that is synced");
        (await synced).ShouldBe(Full);
    }

    [Fact]
    public async Task A_broken_constraint_fails_its_own_transaction_only()
    {
        await using var temp = await TempDatabase.CreateAsync(onPostgres: false);
        var first = temp.Database.WriteAsync(sql => sql.ExecuteAsync("INSERT INTO reserved_names (canonical) VALUES ('same')")).AsTask();
        var second = temp.Database.WriteAsync(sql => sql.ExecuteAsync("INSERT INTO reserved_names (canonical) VALUES ('same')")).AsTask();
        var third = temp.Database.WriteAsync(sql => sql.ExecuteAsync("INSERT INTO reserved_names (canonical) VALUES ('other')")).AsTask();

        (await first).ShouldBe(1);
        await Should.ThrowAsync<SqliteException>(() => second);
        (await third).ShouldBe(1);
    }

    [Fact]
    public async Task Work_that_waits_for_something_else_is_refused_and_rolled_back()
    {
        await using var temp = await TempDatabase.CreateAsync(onPostgres: false);

        await Should.ThrowAsync<InvalidOperationException>(() => temp.Database.WriteAsync(async sql =>
        {
            await sql.ExecuteAsync("INSERT INTO reserved_names (canonical) VALUES ('x')");
            await Task.Yield();
            return 1;
        }).AsTask());

        (await CountAsync(temp.Database)).ShouldBe(0);
    }

    [Fact]
    public async Task What_was_committed_survives_reopening_and_the_writer_syncs_fully()
    {
        await using var temp = await TempDatabase.CreateAsync(onPostgres: false);
        await temp.Database.WriteAsync(sql => sql.ExecuteAsync("INSERT INTO reserved_names (canonical) VALUES ('kept')"));

        var mode = await temp.Database.ReadAsync(sql => sql.TextAsync("PRAGMA journal_mode"));
        var synchronous = await temp.Database.ReadAsync(sql => sql.LongAsync("PRAGMA synchronous"));

        mode.ShouldBe("wal");
        synchronous.ShouldBe(2);
    }

    private static async Task<long> CountAsync(IDatabase database) =>
        (await database.ReadAsync(sql => sql.LongAsync("SELECT count(*) FROM reserved_names")))!.Value;
}
