using Pipeline.Registry.Database;
using Pipeline.Registry.Truth;

namespace Pipeline.Registry.Tests.Truth;

/// <summary>What a lease promises, on either engine.</summary>
public abstract class LeaseContract : IAsyncLifetime
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);
    private static readonly CancellationToken None = TestContext.Current.CancellationToken;
    private readonly ManualClock _clock = new();
    private CountedDatabase _database = null!;

    public async ValueTask InitializeAsync() => _database = new CountedDatabase(await OpenAsync());

    public abstract ValueTask DisposeAsync();

    protected abstract ValueTask<IDatabase> OpenAsync();

    [Fact]
    public async Task Of_16_that_ask_at_once_exactly_one_gets_it_and_each_take_over_has_the_next_fence()
    {
        for (var round = 1; round <= 25; round++)
        {
            var takers = new List<Lease>();
            for (var i = 0; i < 16; i++) takers.Add(await LivingAsync($"r{round}-p{i}"));
            using var start = new Barrier(takers.Count);
            var taken = await Task.WhenAll(takers.Select(taker => Task.Factory.StartNew(
                () =>
                {
                    start.SignalAndWait(None);
                    return taker.TryTakeAsync(None).AsTask().GetAwaiter().GetResult();
                },
                None,
                TaskCreationOptions.LongRunning,
                TaskScheduler.Default)));
            taken.Count(one => one).ShouldBe(1, $"round {round}");
            takers.Single(taker => taker.Fence > 0).Fence.ShouldBe(round);
            await ExpireAsync();
        }
    }

    [Fact]
    public async Task Sixteen_holders_in_turn_never_write_under_a_fence_that_is_past()
    {
        await _database.WriteAsync(sql => sql.ExecuteAsync("INSERT INTO reserved_names (namespace, canonical, reason) VALUES ('', 'counter', '0')"));
        var takers = new List<Lease>();
        for (var i = 0; i < 16; i++) takers.Add(await LivingAsync($"p{i}"));
        // Until so much is written in all: a fixed number of tries could all fall into one holder's turn.
        var total = 0;
        var written = await Task.WhenAll(takers.Select(taker => Task.Run(async () =>
        {
            var mine = 0;
            for (var i = 0; Volatile.Read(ref total) < 200 && i < 100_000; i++)
            {
                if (await taker.TryTakeAsync(None) && await _database.WriteAsync(sql => CountAsync(sql, taker), None))
                {
                    mine++;
                    Interlocked.Increment(ref total);
                }

                if (i % 8 == 7) await ExpireAsync();
            }

            return mine;
        })));
        written.Count(mine => mine > 0).ShouldBeGreaterThan(1);
        (await TextAsync("SELECT reason FROM reserved_names")).ShouldBe($"{written.Sum()}");
    }

    [Fact]
    public async Task A_lease_that_has_run_out_goes_to_the_next_and_its_former_holder_can_write_nothing_under_it()
    {
        var (first, second) = (await LivingAsync("first"), await LivingAsync("second"));
        (await first.TryTakeAsync(None)).ShouldBeTrue();
        (await second.TryTakeAsync(None)).ShouldBeFalse();
        await ExpireAsync();
        (await second.TryTakeAsync(None)).ShouldBeTrue();
        (first.Fence, second.Fence).ShouldBe((1, 2));

        (await first.RenewAsync(None)).ShouldBeFalse();
        (await first.TryTakeAsync(None)).ShouldBeFalse();
        (await second.RenewAsync(None)).ShouldBeTrue();
    }

    [Fact]
    public async Task A_holder_that_is_not_among_the_living_is_followed_at_once()
    {
        var (first, second) = (await LivingAsync("first"), await LivingAsync("second"));
        (await first.TryTakeAsync(None)).ShouldBeTrue();
        await _database.WriteAsync(sql => sql.ExecuteAsync("DELETE FROM processes WHERE id = 'first'"));
        (await second.TryTakeAsync(None)).ShouldBeTrue();
        (await first.RenewAsync(None)).ShouldBeFalse();
    }

    [Fact]
    public async Task Its_own_holder_takes_it_again_under_the_same_fence_unless_somebody_held_it_between()
    {
        var (first, second) = (await LivingAsync("first"), await LivingAsync("second"));
        await first.TryTakeAsync(None);
        await ExpireAsync();
        _clock.Advance(Minute);
        (await first.TryTakeAsync(None)).ShouldBeTrue();
        first.Fence.ShouldBe(1);
        await ExpireAsync();
        await second.TryTakeAsync(None);
        await ExpireAsync();
        _clock.Advance(Minute);
        (await first.TryTakeAsync(None)).ShouldBeTrue();
        first.Fence.ShouldBe(3);
    }

    [Fact]
    public async Task Nothing_is_asked_while_more_than_half_is_left_and_who_waits_only_reads()
    {
        var (first, second) = (await LivingAsync("first"), await LivingAsync("second"));
        await first.TryTakeAsync(None);
        var (reads, writes) = (_database.Reads, _database.Writes);
        _clock.Advance(Minute / 3);
        (await first.TryTakeAsync(None)).ShouldBeTrue();
        (_database.Reads, _database.Writes).ShouldBe((reads, writes));
        (await second.TryTakeAsync(None)).ShouldBeFalse();
        (_database.Reads, _database.Writes).ShouldBe((reads + 1, writes));
        _clock.Advance(Minute / 3);
        (await first.TryTakeAsync(None)).ShouldBeTrue();
        (_database.Reads, _database.Writes).ShouldBe((reads + 2, writes + 1));
    }

    private static async ValueTask<bool> CountAsync(Statements sql, Lease lease)
    {
        if (!await lease.KeepAsync(sql)) return false;
        // Read and written by two statements: only who is alone comes to the right sum.
        var count = int.Parse((await sql.TextAsync("SELECT reason FROM reserved_names"))!, System.Globalization.CultureInfo.InvariantCulture);
        await sql.ExecuteAsync("UPDATE reserved_names SET reason = $1", $"{count + 1}");
        return true;
    }

    private async Task<Lease> LivingAsync(string process)
    {
        await _database.WriteAsync(sql => sql.ExecuteAsync("INSERT INTO processes (id, roles, started_at, seen_at) VALUES ($1, 'test', 0, 0)", process));
        return new Lease(_database, "test", process, Minute, _clock);
    }

    private ValueTask<int> ExpireAsync() => _database.WriteAsync(sql => sql.ExecuteAsync("UPDATE leases SET until = 0"));

    private ValueTask<string?> TextAsync(string sql) => _database.ReadAsync(statements => statements.TextAsync(sql));

    private sealed class CountedDatabase(IDatabase inner) : IDatabase
    {
        private int _reads;
        private int _writes;

        public int Reads => _reads;

        public int Writes => _writes;

        public Dialect Dialect => inner.Dialect;

        public long Commits => inner.Commits;

        public ValueTask<T> ReadAsync<T>(Func<Statements, ValueTask<T>> read, CancellationToken cancellationToken = default)
        {
            Interlocked.Increment(ref _reads);
            return inner.ReadAsync(read, cancellationToken);
        }

        public ValueTask<T> WriteAsync<T>(Func<Statements, ValueTask<T>> work, CancellationToken cancellationToken = default)
        {
            Interlocked.Increment(ref _writes);
            return inner.WriteAsync(work, cancellationToken);
        }
    }
}
