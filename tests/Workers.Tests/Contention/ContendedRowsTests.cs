using Pipeline.Registry.Database;
using Pipeline.Registry.Identity;
using Pipeline.Registry.Options;
using Pipeline.Registry.Tests;
using Pipeline.Registry.Truth;
using Pipeline.Workers.Upkeep;

namespace Pipeline.Workers.Tests.Contention;

/// <summary>Rows that many writers want, of two processes on one database, on either engine.</summary>
[Trait("Engine", "both")]
public class ContendedRowsTests
{
    private const int Writers = 16;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task No_revision_is_lost_between_16_writers_and_changes_are_numbered_in_their_order(bool onPostgres)
    {
        await using var truth = await TwoAsync(onPostgres);
        var crate = await truth.CrateAsync();

        await truth.AllAsync(async (database, i) =>
        {
            for (var n = 0; n < 20; n++)
            {
                await database.WriteAsync(async sql =>
                {
                    if (n % 2 == 0) await CrateLookup.LockCrateAsync(sql, "foo");
                    return await Revisions.BumpAsync(sql, crate, "yank", $"{i}.{n}.0");
                });
            }
        });

        (await truth.LongAsync("SELECT revision FROM crates")).ShouldBe(1 + (Writers * 20));
        (await truth.LongAsync("SELECT count(DISTINCT revision) FROM changes")).ShouldBe(1 + (Writers * 20));
        (await truth.LongAsync("SELECT count(*) FROM (SELECT revision - lag(revision) OVER (ORDER BY id) AS step FROM changes) s WHERE step <> 1")).ShouldBe(0);
        (await truth.LongAsync("SELECT count(*) FROM projections WHERE wanted = $1", 1L + (Writers * 20))).ShouldBe(3);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_bucket_gives_16_takers_no_more_than_its_burst(bool onPostgres)
    {
        await using var truth = await TwoAsync(onPostgres);
        var user = await truth.UserAsync();
        var limit = new RateLimit(3600, 10);
        var options = new RateLimitOptions { PublishNew = limit, PublishUpdate = limit, Yank = limit };
        var allowed = 0;

        await truth.AllAsync(async (database, _) =>
        {
            var limiter = new RateLimiter(database, options);
            for (var n = 0; n < 3; n++)
            {
                if (await limiter.TakeAsync(user, LimitedAction.Yank) is null) Interlocked.Increment(ref allowed);
            }
        });

        allowed.ShouldBe(10);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Sweeps_at_once_claim_different_rows_and_no_more_than_they_asked_for(bool onPostgres)
    {
        await using var truth = await TwoAsync(onPostgres);
        var user = await truth.UserAsync();
        await truth.WriteAsync(async sql =>
        {
            for (var i = 0; i < 400; i++)
            {
                await sql.ExecuteAsync(
                    """
                    INSERT INTO publishes (id, canonical, name, num, num_no_build, checksum, size, user_id, claims, staging_key, state, received_at, parked_at, deadline_at)
                    VALUES ($1, 'foo', 'foo', $1, $1, 'c', 1, $2, '{}', 's', 'parked', 0, 0, 0)
                    """,
                    $"{i:0000}", user);
            }

            return 0;
        });
        var rows = new WaitingRows(new WorkerOptions());
        var claimed = new List<string>();

        await truth.AllAsync(async (database, _) =>
        {
            for (var n = 0; n < 3; n++)
            {
                var page = await database.WriteAsync(sql => rows.PublishesAsync(sql, PublishStates.Parked, 10));
                page.Count.ShouldBeLessThanOrEqualTo(10);
                lock (claimed) claimed.AddRange(page);
            }
        });
        while (await truth.WriteAsync(sql => rows.PublishesAsync(sql, PublishStates.Parked, 1000)) is { Count: > 0 } rest) claimed.AddRange(rest);

        claimed.Count.ShouldBe(400);
        claimed.Distinct().Count().ShouldBe(400);
    }

    [Theory]
    [InlineData(false, 1)]
    [InlineData(true, 1)]
    [InlineData(true, 2)]
    public async Task Renderers_without_a_lock_leave_the_newest_revision_however_they_overtake_each_other(bool onPostgres, int seed)
    {
        await using var truth = await TwoAsync(onPostgres);
        var crate = await truth.CrateAsync();
        // The file: whoever writes last has its say.
        long file = 0;
        for (var round = 0; round < 6; round++)
        {
            await truth.AllAsync(async (database, i) =>
            {
                var random = new Random((seed * 1000) + (round * 100) + i);
                if (i % 4 == 0) await database.WriteAsync(sql => Revisions.BumpAsync(sql, crate, "yank", null));
                await RenderAsync(database, crate, $"p{i}", async revision =>
                {
                    await Task.Delay(random.Next(0, 6));
                    Volatile.Write(ref file, revision);
                });
            });
            await RenderAsync(truth.First, crate, "p0", revision =>
            {
                file = revision;
                return Task.CompletedTask;
            });

            file.ShouldBe((await truth.LongAsync("SELECT revision FROM crates"))!.Value, $"round {round}");
            (await truth.LongAsync("SELECT count(*) FROM projections WHERE kind = 'sparse' AND reached = wanted")).ShouldBe(1);
            (await truth.LongAsync("SELECT count(*) FROM claims")).ShouldBe(0);
        }
    }

    private static async Task RenderAsync(IDatabase database, long crate, string process, Func<long, Task> write)
    {
        var claim = await database.WriteAsync(sql => Claims.OpenAsync(sql, crate, ProjectionKinds.Sparse, process));
        while (claim is not null)
        {
            var revision = (await database.ReadAsync(sql => sql.LongAsync("SELECT revision FROM crates WHERE id = $1", crate)))!.Value;
            var held = await database.WriteAsync(sql => Claims.RaiseAsync(sql, claim, revision));
            await write(revision);
            claim = (await database.WriteAsync(sql => Claims.CloseAsync(sql, held, "3/f/foo", process))).Again;
        }
    }

    private static async Task<Truth> TwoAsync(bool onPostgres)
    {
        var temp = await TempDatabase.CreateAsync(onPostgres, TimeProvider.System);
        return new Truth(temp, temp.OpenAgain());
    }

    /// <summary>One database as two processes see it.</summary>
    private sealed class Truth(TempDatabase temp, IDatabase second) : IAsyncDisposable
    {
        public IDatabase First => temp.Database;

        /// <summary>Sixteen writers at once, half of them through either process.</summary>
        public Task AllAsync(Func<IDatabase, int, Task> work) =>
            Task.WhenAll(Enumerable.Range(0, Writers).Select(i => Task.Run(() => work(i % 2 == 0 ? temp.Database : second, i))));

        public ValueTask<T> WriteAsync<T>(Func<Statements, ValueTask<T>> work) => temp.Database.WriteAsync(work);

        public ValueTask<long?> LongAsync(string sql, params object?[] parameters) => temp.LongAsync(sql, parameters);

        public async Task<long> UserAsync() =>
            (await WriteAsync(sql => sql.LongAsync("INSERT INTO users (login, login_key, created_at) VALUES ('me', 'me', 0) RETURNING id")))!.Value;

        public Task<long> CrateAsync() => WriteAsync(async sql =>
        {
            for (var i = 0; i < Writers; i++) await sql.ExecuteAsync("INSERT INTO processes (id, roles, started_at, seen_at) VALUES ($1, 'all', 0, 0)", $"p{i}");
            var id = await sql.LongAsync(
                "INSERT INTO crates (canonical, name, revision, last_published_at, created_at, updated_at) VALUES ('foo', 'foo', 1, 0, 0, 0) RETURNING id");
            await Revisions.RecordAsync(sql, id!.Value, 1, "foo", "publish", "1.0.0", null);
            return id.Value;
        }).AsTask();

        public ValueTask DisposeAsync() => temp.DisposeAsync();
    }
}
