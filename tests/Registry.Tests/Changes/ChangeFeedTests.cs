using Pipeline.Registry.Changes;
using Pipeline.Registry.Database;
using Pipeline.Registry.Truth;

namespace Pipeline.Registry.Tests.Changes;

/// <summary>What the feed shows while transactions overlap. Only on PostgreSQL do they; what is true there is true of SQLite.</summary>
[Trait("Engine", "both")]
public sealed class ChangeFeedTests
{
    private const int Writers = 16;
    private const int ChangesEach = 40;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Reading_in_pages_while_16_writers_write_skips_nothing_and_doubles_nothing(bool onPostgres)
    {
        await using var temp = await TempDatabase.CreateAsync(onPostgres, TimeProvider.System);
        var crates = new List<long>();
        for (var i = 0; i < 4; i++) crates.Add(await CrateAsync(temp.Database, $"crate-{i}"));
        var databases = new[] { temp.Database, temp.OpenAgain() };

        using var written = new CancellationTokenSource();
        var readers = new[] { 7, 100 }.Select(page => Task.Run(() => FollowAsync(temp.Database, page, written))).ToList();
        await Task.WhenAll(Enumerable.Range(0, Writers).Select(writer => Task.Run(() => WriteAsync(databases[writer % 2], writer, crates, waits: onPostgres))));
        await written.CancelAsync();

        var all = await temp.Database.ReadAsync(sql => sql.QueryAsync("SELECT id FROM changes ORDER BY id", static row => row.Long(0)));
        foreach (var reader in readers)
        {
            var read = await reader;
            read.ConvertAll(static change => change.Id).ShouldBe(all);
            // In sequence: each crate's changes come in the order in which they were made.
            foreach (var crate in read.GroupBy(static change => change.CrateId))
                crate.Select(static change => change.Revision!.Value).ShouldBe(Enumerable.Range(0, crate.Count()).Select(static i => i + 1L));
        }

        all.Count.ShouldBe(4 + (Writers * ChangesEach) - RolledBack);
    }

    [Fact]
    public async Task A_change_waits_for_a_lower_one_that_is_not_committed()
    {
        await using var temp = await TempDatabase.CreateAsync(onPostgres: true, TimeProvider.System);
        var (one, two) = (await CrateAsync(temp.Database, "one"), await CrateAsync(temp.Database, "two"));
        var slow = new Transaction(temp.Database);
        await slow.DoAsync(sql => Revisions.BumpAsync(sql, one, ChangeKinds.Yank, "1.0.0"));

        await temp.Database.WriteAsync(sql => Revisions.BumpAsync(sql, two, ChangeKinds.Yank, "2.0.0"));
        (await YanksAsync(temp.Database)).ShouldBe("");

        await slow.CommitAsync();
        (await YanksAsync(temp.Database)).ShouldBe("1.0.0 2.0.0");
    }

    // The trap of comparing transaction ids: here the lower change belongs to the higher, that is the younger, transaction.
    [Fact]
    public async Task A_change_waits_for_a_lower_one_also_when_the_lower_ones_transaction_is_the_younger()
    {
        await using var temp = await TempDatabase.CreateAsync(onPostgres: true, TimeProvider.System);
        var (one, two) = (await CrateAsync(temp.Database, "one"), await CrateAsync(temp.Database, "two"));
        var (older, younger) = (new Transaction(temp.Database), new Transaction(temp.Database));
        await older.DoAsync(sql => sql.LongAsync("UPDATE crates SET revision = revision WHERE id = $1 RETURNING id", two));
        await younger.DoAsync(sql => Revisions.BumpAsync(sql, one, ChangeKinds.Yank, "1.0.0"));
        await older.DoAsync(sql => Revisions.BumpAsync(sql, two, ChangeKinds.Yank, "2.0.0"));

        await older.CommitAsync();
        (await YanksAsync(temp.Database)).ShouldBe("");

        await younger.CommitAsync();
        (await YanksAsync(temp.Database)).ShouldBe("1.0.0 2.0.0");
    }

    [Fact]
    public async Task Neither_a_rolled_back_change_nor_a_long_transaction_without_changes_holds_up_the_feed()
    {
        await using var temp = await TempDatabase.CreateAsync(onPostgres: true, TimeProvider.System);
        var (one, two) = (await CrateAsync(temp.Database, "one"), await CrateAsync(temp.Database, "two"));
        var beside = new Transaction(temp.Database);
        await beside.DoAsync(sql => sql.ExecuteAsync("UPDATE crates SET readme = 'x' WHERE id = $1", one));
        var failed = new Transaction(temp.Database);
        await failed.DoAsync(sql => Revisions.BumpAsync(sql, two, ChangeKinds.Yank, "1.0.0"));
        await failed.RollBackAsync();

        await temp.Database.WriteAsync(sql => Revisions.BumpAsync(sql, two, ChangeKinds.Yank, "2.0.0"));
        (await YanksAsync(temp.Database)).ShouldBe("2.0.0");
        await beside.CommitAsync();
    }

    private const int RolledBack = Writers * (ChangesEach / 10);

    private static async Task WriteAsync(IDatabase database, int writer, List<long> crates, bool waits)
    {
        var random = new Random(writer);
        for (var n = 0; n < ChangesEach; n++)
        {
            var crate = crates[random.Next(crates.Count)];
            try
            {
                await database.WriteAsync(async sql =>
                {
                    // Half of them have a transaction id long before they draw the change's id.
                    if (n % 2 == 0) await sql.ExecuteAsync("UPDATE crates SET readme = 'x' WHERE id = $1", crate);
                    var revised = await Revisions.BumpAsync(sql, crate, ChangeKinds.Yank, $"{writer}.{n}.0");
                    if (waits) await Task.Delay(random.Next(0, 4));
                    return n % 10 == 9 ? throw new GivenUpException() : revised;
                });
            }
            catch (GivenUpException)
            {
                // A tenth of the changes is drawn and never committed.
            }
        }
    }

    private static async Task<List<Change>> FollowAsync(IDatabase database, int most, CancellationTokenSource written)
    {
        var seen = new List<Change>();
        while (true)
        {
            // Asked before reading: what was written by then is settled by then.
            var isLast = written.IsCancellationRequested;
            var page = await database.ReadAsync(sql => ChangeFeed.ReadAsync(sql, seen.Count == 0 ? 0 : seen[^1].Id, most));
            seen.AddRange(page.Changes);
            if (isLast && page.Changes.Count == 0) return seen;
        }
    }

    private static async Task<string> YanksAsync(IDatabase database)
    {
        var page = await database.ReadAsync(static sql => ChangeFeed.ReadAsync(sql, 0, 100));
        return string.Join(' ', page.Changes.Where(static change => change.Kind == ChangeKinds.Yank).Select(static change => change.Version));
    }

    private static async Task<long> CrateAsync(IDatabase database, string name) => await database.WriteAsync(async sql =>
    {
        var id = await sql.LongAsync(
            "INSERT INTO crates (canonical, name, revision, last_published_at, created_at, updated_at) VALUES ($1, $1, 1, 0, 0, 0) RETURNING id", name);
        await Revisions.RecordAsync(sql, id!.Value, 1, name, ChangeKinds.Publish, "0.1.0", null);
        return id.Value;
    });

    private sealed class GivenUpException : Exception;

    /// <summary>A transaction that goes on step by step.</summary>
    private sealed class Transaction
    {
        private readonly System.Threading.Channels.Channel<Func<Statements, Task>> _steps = System.Threading.Channels.Channel.CreateUnbounded<Func<Statements, Task>>();
        private readonly Task _ended;

        public Transaction(IDatabase database) => _ended = database.WriteAsync(async sql =>
        {
            await foreach (var step in _steps.Reader.ReadAllAsync()) await step(sql);
            return 0;
        }).AsTask();

        public async Task DoAsync<T>(Func<Statements, ValueTask<T>> step)
        {
            var done = new TaskCompletionSource();
            _steps.Writer.TryWrite(async sql =>
            {
                await step(sql);
                done.SetResult();
            });
            await done.Task.WaitAsync(TimeSpan.FromSeconds(30));
        }

        public Task CommitAsync()
        {
            _steps.Writer.Complete();
            return _ended;
        }

        public async Task RollBackAsync()
        {
            _steps.Writer.TryWrite(static _ => throw new GivenUpException());
            await Should.ThrowAsync<GivenUpException>(() => _ended);
        }
    }
}
