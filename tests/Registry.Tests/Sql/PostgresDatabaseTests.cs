using System.Diagnostics;
using Npgsql;
using Pipeline.Contracts;
using Pipeline.Registry.Database;
using Pipeline.Registry.Failures;
using Pipeline.Tests.Services;

namespace Pipeline.Registry.Tests.Sql;

[Trait("Engine", "postgres")]
public sealed class PostgresDatabaseTests : IAsyncLifetime
{
    private static readonly CancellationToken None = TestContext.Current.CancellationToken;
    private PostgresCopy _copy = null!;
    private PostgresDatabase _database = null!;

    public async ValueTask InitializeAsync()
    {
        _copy = await PostgresCopies.CreateAsync();
        _database = _copy.Open();
    }

    public async ValueTask DisposeAsync()
    {
        await _database.DisposeAsync();
        await _copy.DisposeAsync();
    }

    [Fact]
    public async Task A_transaction_that_throws_leaves_nothing_and_its_exception_is_the_callers()
    {
        await Should.ThrowAsync<FormatException>(() => _database.WriteAsync<int>(async sql =>
        {
            await ReserveAsync(sql, "a");
            throw new FormatException();
        }).AsTask());
        (await CountAsync()).ShouldBe(0);

        (await Should.ThrowAsync<PostgresException>(() => _database.WriteAsync(sql => sql.ExecuteAsync("INSERT INTO no_such_table VALUES (1)")).AsTask())).SqlState.ShouldBe("42P01");
    }

    [Fact]
    public async Task Transactions_that_lock_each_other_out_run_again_and_both_succeed()
    {
        await _database.WriteAsync(async sql => await ReserveAsync(sql, "a") + await ReserveAsync(sql, "b"));
        using var both = new SemaphoreSlim(0);
        var runs = 0;
        await Task.WhenAll(new[] { ("a", "b"), ("b", "a") }.Select(async pair =>
        {
            var first = true;
            await _database.WriteAsync(async sql =>
            {
                Interlocked.Increment(ref runs);
                await AppendAsync(sql, pair.Item1);
                if (first)
                {
                    first = false;
                    both.Release();
                    while (both.CurrentCount < 2) await Task.Delay(5, None);
                }

                return await AppendAsync(sql, pair.Item2);
            }, None);
        }));

        runs.ShouldBe(3);
        (await _database.ReadAsync(sql => sql.LongAsync("SELECT count(*) FROM reserved_names WHERE reason = 'xx'"), None)).ShouldBe(2);

        static ValueTask<int> AppendAsync(Statements sql, string name) =>
            sql.ExecuteAsync("UPDATE reserved_names SET reason = coalesce(reason, '') || 'x' WHERE canonical = $1", name);
    }

    [Fact]
    public async Task A_connection_that_breaks_during_the_commit_leaves_it_open_what_happened_and_the_work_is_not_run_again()
    {
        var runs = 0;
        var away = await Should.ThrowAsync<TransientException>(() => _database.WriteAsync(async sql =>
        {
            runs++;
            await ReserveAsync(sql, "a");
            await PostgresCopies.ExecuteAsync(
                new NpgsqlConnectionStringBuilder(_copy.Options.Postgres!.Reveal()), $"SELECT pg_terminate_backend({await sql.LongAsync("SELECT pg_backend_pid()")}, 5000)");
            return 0;
        }).AsTask());

        (runs, away.Code).ShouldBe((1, "database-away"));
        away.Message.ShouldContain("not known");
        (await CountAsync()).ShouldBe(0);
    }

    [Fact]
    public async Task A_connection_that_broke_before_is_replaced_without_anybody_noticing()
    {
        for (var i = 0; i < 4; i++)
        {
            await _database.WriteAsync(sql => ReserveAsync(sql, $"n{i}"));
            await PostgresCopies.ExecuteAsync(
                new NpgsqlConnectionStringBuilder(_copy.Options.Postgres!.Reveal()), "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'pipeline'");
        }

        (await CountAsync()).ShouldBe(4);
    }

    [Theory]
    [InlineData("SELECT pg_sleep(20)", "database-busy")]
    [InlineData("DO $$ BEGIN RAISE EXCEPTION SQLSTATE '53100'; END $$", "database-busy")]
    [InlineData("DO $$ BEGIN RAISE EXCEPTION SQLSTATE '57P01'; END $$", "database-away")]
    [InlineData("DO $$ BEGIN RAISE EXCEPTION SQLSTATE '40001'; END $$", "database-busy")]
    public async Task What_will_do_later_is_transient(string statement, string code)
    {
        await using var hasty = new PostgresDatabase(_copy.Options with { CommandSeconds = 1 });

        (await Should.ThrowAsync<TransientException>(() => hasty.ReadAsync(sql => sql.ExecuteAsync(statement), None).AsTask())).Code.ShouldBe(code);
        (await Should.ThrowAsync<TransientException>(() => hasty.WriteAsync(sql => sql.ExecuteAsync(statement), None).AsTask())).Code.ShouldBe(code);
    }

    [Fact]
    public async Task Work_that_finds_no_free_connection_in_time_is_put_off()
    {
        await using var narrow = new PostgresDatabase(_copy.Options with { MaxConnections = 1, ConnectSeconds = 1 });
        await narrow.ReadAsync(async _ =>
        {
            (await Should.ThrowAsync<TransientException>(() => narrow.ReadAsync(sql => sql.NowAsync(), None).AsTask())).Code.ShouldBe("database-busy");
            return 0;
        }, None);
    }

    [Fact]
    public async Task Texts_that_the_engine_cannot_hold_are_stored_as_near_as_they_can_be()
    {
        // Not parameters of the test: the compiler stores those as UTF-8, which holds no half of a surrogate pair.
        foreach (var (text, stored) in new[] { ("a\0b", "a\uFFFDb"), ("c\uD800d", "c\uFFFDd"), ("e\U0001F980f", "e\U0001F980f") })
        {
            await _database.WriteAsync(sql => ReserveAsync(sql, text));
            (await _database.ReadAsync(sql => sql.TextAsync("SELECT canonical FROM reserved_names WHERE canonical = $1", text), None)).ShouldBe(stored);
        }
    }

    [Fact]
    public async Task The_clock_goes_on_within_a_transaction_and_is_right()
    {
        var (first, second) = await _database.WriteAsync(async sql =>
        {
            var before = await sql.NowAsync();
            await sql.ExecuteAsync("SELECT pg_sleep(0.01)");
            return (before, await sql.NowAsync());
        });

        (second - first).ShouldBeGreaterThanOrEqualTo(10_000);
        Microseconds.Time(second).ShouldBe(DateTimeOffset.UtcNow, TimeSpan.FromSeconds(20));
    }

    [Fact]
    public async Task No_trace_and_no_exception_shows_where_it_connects_how_or_what_it_stores()
    {
        var connection = new NpgsqlConnectionStringBuilder(_copy.Options.Postgres!.Reveal());
        var seen = new List<string>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = static source => source.Name == "Npgsql",
            Sample = static (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = activity =>
            {
                lock (seen) seen.AddRange([activity.DisplayName, $"{activity.StatusDescription}", .. activity.TagObjects.Select(static tag => $"{tag.Key}={tag.Value}")]);
            },
        };
        ActivitySource.AddActivityListener(listener);

        await _database.WriteAsync(sql => ReserveAsync(sql, "StoredMark"));
        var conflict = await Should.ThrowAsync<PostgresException>(() => _database.WriteAsync(sql => ReserveAsync(sql, "StoredMark")).AsTask());
        await using var wrong = new PostgresDatabase(_copy.Options with { Postgres = new Secret($"{connection};Password=WrongMark") });
        var refused = await Should.ThrowAsync<TransientException>(() => wrong.ReadAsync(sql => sql.NowAsync(), None).AsTask());

        refused.Message.ShouldBe("the database refuses the connection (SQLSTATE 28P01)");
        seen.ShouldContain(text => text.Contains("INSERT INTO reserved_names", StringComparison.Ordinal));
        seen.AddRange([conflict.ToString(), refused.ToString()]);
        foreach (var mark in new[] { connection.Password!, "WrongMark", "StoredMark" }) seen.ShouldNotContain(text => text.Contains(mark, StringComparison.Ordinal));
    }

    [Fact]
    public async Task After_a_crash_of_the_server_everything_answered_is_there_and_the_same_pool_goes_on()
    {
        await using var server = await RealServices.StartAsync(["postgres"]);
        await using var database = new PostgresDatabase(new DatabaseOptions { Postgres = new Secret(server["PIPELINE__Database__Postgres"]), MaxConnections = 8 });
        await Migrator.MigrateAsync(database, None);
        var kept = 0;
        using var writes = new SemaphoreSlim(0);
        var writers = Enumerable.Range(0, 8).Select(i => Task.Run(
            async () =>
            {
                for (var n = 0; ; n++)
                {
                    try
                    {
                        await database.WriteAsync(sql => ReserveAsync(sql, $"{i}-{n}"), None);
                        Interlocked.Increment(ref kept);
                        writes.Release();
                    }
                    catch (TransientException e)
                    {
                        return e;
                    }
                }
            },
            None)).ToList();
        for (var i = 0; i < 100; i++) await writes.WaitAsync(None);

        await server.KillAsync("postgres");
        var errors = await Task.WhenAll(writers);

        errors.ShouldAllBe(error => error.Code == "database-away");
        string.Concat(errors.Select(error => error.ToString())).ShouldNotContain(new NpgsqlConnectionStringBuilder(server["PIPELINE__Database__Postgres"]).Password!);
        (await Should.ThrowAsync<TransientException>(() => database.ReadAsync(sql => sql.NowAsync(), None).AsTask())).Message.ShouldBe("the database cannot be reached");

        await server.RestartAsync("postgres");
        var count = (await database.ReadAsync(sql => sql.LongAsync("SELECT count(*) FROM reserved_names"), None))!.Value;
        // Of each writer's last transaction it may not be known whether it was committed.
        count.ShouldBeInRange(kept, kept + writers.Count);
        await database.WriteAsync(sql => ReserveAsync(sql, "after"), None);
    }

    private static ValueTask<int> ReserveAsync(Statements sql, string name) => sql.ExecuteAsync("INSERT INTO reserved_names (canonical) VALUES ($1)", name);

    private async Task<long> CountAsync() => (await _database.ReadAsync(sql => sql.LongAsync("SELECT count(*) FROM reserved_names"), None))!.Value;
}
