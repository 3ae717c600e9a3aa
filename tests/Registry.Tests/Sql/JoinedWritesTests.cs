using Pipeline.Registry.Database;
using Pipeline.Registry.Failures;

namespace Pipeline.Registry.Tests.Sql;

public sealed class JoinedWritesTests
{
    [Fact]
    public async Task What_comes_while_one_is_written_shares_the_next_transaction_and_each_gets_its_own_result()
    {
        await using var temp = await TempDatabase.CreateAsync();
        var (groups, entered, gate) = (new List<int>(), new TaskCompletionSource(), new ManualResetEventSlim());
        var writes = new JoinedWrites<string, string>(temp.Database, async (sql, names) =>
        {
            groups.Add(names.Count);
            entered.TrySetResult();
            // The one thread that writes waits here; what is asked for meanwhile queues up.
            if (groups.Count == 1) gate.Wait(TestContext.Current.CancellationToken);
            foreach (var name in names) await sql.ExecuteAsync("INSERT INTO reserved_names (canonical) VALUES ($1)", name);
            return [.. names.Select(static name => $"{name} is written")];
        });

        var first = writes.WriteAsync("first");
        await entered.Task.WaitAsync(TestContext.Current.CancellationToken);
        var others = Enumerable.Range(0, 50).Select(i => writes.WriteAsync($"n{i}")).ToList();
        gate.Set();

        (await first).ShouldBe("first is written");
        (await Task.WhenAll(others)).ShouldBe(Enumerable.Range(0, 50).Select(static i => $"n{i} is written"));
        groups.ShouldBe([1, 50]);
        (await temp.LongAsync("SELECT count(*) FROM reserved_names")).ShouldBe(51);
    }

    [Fact]
    public async Task One_that_is_at_fault_fails_alone_and_a_database_that_is_away_fails_all()
    {
        await using var temp = await TempDatabase.CreateAsync();
        var (entered, gate, isAway) = (new TaskCompletionSource(), new ManualResetEventSlim(), false);
        var writes = new JoinedWrites<string, int>(temp.Database, async (sql, names) =>
        {
            if (names[0] == "first")
            {
                entered.SetResult();
                gate.Wait(TestContext.Current.CancellationToken);
            }

            if (isAway) throw new TransientException("database-away", "away");
            foreach (var name in names) await sql.ExecuteAsync("INSERT INTO reserved_names (canonical) VALUES ($1)", name == "bad" ? throw new FormatException() : name);
            return new int[names.Count];
        });

        var first = writes.WriteAsync("first");
        await entered.Task.WaitAsync(TestContext.Current.CancellationToken);
        var (before, bad, after) = (writes.WriteAsync("before"), writes.WriteAsync("bad"), writes.WriteAsync("after"));
        gate.Set();
        await Task.WhenAll(first, before, after);
        await Should.ThrowAsync<FormatException>(bad);
        (await temp.TextsAsync("SELECT canonical FROM reserved_names ORDER BY canonical")).ShouldBe("after, before, first");

        isAway = true;
        await Should.ThrowAsync<TransientException>(writes.WriteAsync("lost"));
    }
}
