using Microsoft.Extensions.DependencyInjection;
using Pipeline.Contracts.Search;
using Pipeline.Contracts.Upkeep;
using Pipeline.Registry.Changes;
using Pipeline.Registry.Truth;
using Pipeline.Workers.Search;
using Pipeline.Workers.Tests.Harness;

namespace Pipeline.Workers.Tests.Search;

public sealed class UpdateSearchConsumerTests
{
    private const string RowsSql =
        """
        SELECT name || '|' || description || '|' || keywords || '|' || categories || CASE WHEN is_shown THEN ' shown' ELSE '' END || CASE WHEN in_force THEN ' in force' ELSE '' END
        FROM search ORDER BY crate_id
        """;

    [Fact]
    public async Task It_follows_the_feed_and_a_second_bell_changes_nothing()
    {
        await using var harness = await WorkerHarness.StartAsync("update-search");
        await CrateAsync(harness, "Foo-Bar", "Does things", """["cli"]""", """["parsing"]""");
        await CrateAsync(harness, "old", null, inForce: false);

        await harness.DeliverAsync(new UpdateSearch());

        (await harness.TextsAsync(RowsSql)).ShouldBe("""Foo-Bar|Does things|["cli"]|["parsing"] shown in force, old||[]|[] shown""");
        (await BehindAsync(harness)).ShouldBe(0);

        var position = await harness.LongAsync("SELECT position FROM search_progress");
        await harness.DeliverAsync(new UpdateSearch());
        (await harness.LongAsync("SELECT position FROM search_progress")).ShouldBe(position);
    }

    [Fact]
    public async Task A_change_writes_the_rows_of_its_crate_alone_and_a_deleted_crates_row_says_so()
    {
        await using var harness = await WorkerHarness.StartAsync("update-search");
        var foo = await CrateAsync(harness, "foo", "one");
        await CrateAsync(harness, "bar", "two");
        await harness.DeliverAsync(new UpdateSearch());
        var position = await harness.LongAsync("SELECT position FROM search_progress");

        await harness.ExecuteAsync("UPDATE crates SET state = 'deleted', default_rank = NULL WHERE id = $1", foo);
        await harness.Database.WriteAsync(sql => Revisions.BumpAsync(sql, foo, ChangeKinds.Delete, null));
        await harness.DeliverAsync(new UpdateSearch());

        (await harness.TextsAsync(RowsSql)).ShouldBe("foo|one|[]|[], bar|two|[]|[] shown in force");
        (await harness.TextsAsync("SELECT name FROM search WHERE position > $1", position)).ShouldBe("foo");
    }

    [Fact]
    public async Task A_change_of_many_crates_writes_all_of_them()
    {
        await using var harness = await WorkerHarness.StartAsync("update-search");
        var ids = new[] { await CrateAsync(harness, "foo", "one"), await CrateAsync(harness, "bar", "two") };
        await harness.DeliverAsync(new UpdateSearch());

        await harness.ExecuteAsync("UPDATE crates SET description = 'new'");
        await harness.Database.WriteAsync(sql => Revisions.RecordManyAsync(sql, ids, ChangeKinds.Sync, $$"""{"upstream":"up","crates":[{{string.Join(',', ids)}}]}"""));
        await harness.DeliverAsync(new UpdateSearch());

        (await harness.TextsAsync("SELECT description FROM search")).ShouldBe("new, new");
    }

    [Fact]
    public async Task A_change_that_cannot_be_read_is_a_fault_and_nothing_is_passed_over()
    {
        await using var harness = await WorkerHarness.StartAsync("update-search");
        await CrateAsync(harness, "foo", "one");
        await harness.ExecuteAsync("INSERT INTO changes (at, kind, data) VALUES (0, 'sync', 'no JSON')");

        await harness.DeliverAsync(new UpdateSearch());

        (await harness.FailuresAsync()).ShouldHaveSingleItem().ShouldStartWith("fault/Json");
        (await harness.LongAsync("SELECT watermark FROM search_progress")).ShouldBe(0);

        await harness.ExecuteAsync("UPDATE changes SET data = '{}' WHERE data = 'no JSON'");
        await harness.DeliverAsync(new UpdateSearch());
        (await harness.FailuresAsync()).ShouldBeEmpty();
        (await BehindAsync(harness)).ShouldBe(0);
    }

    [Fact]
    public async Task Made_anew_it_is_what_following_made_it()
    {
        await using var harness = await WorkerHarness.StartAsync("update-search");
        for (var i = 0; i < 700; i++) await CrateAsync(harness, $"crate-{i}", $"number {i}", inForce: i % 7 > 0);
        await harness.DeliverAsync(new UpdateSearch());
        var followed = await harness.TextsAsync(RowsSql);
        await harness.ExecuteAsync("DELETE FROM search WHERE crate_id < 100");
        await harness.ExecuteAsync("UPDATE search SET name = 'wrong', is_shown = in_force WHERE crate_id > 600");

        var projection = harness.Services.GetRequiredService<SearchProjection>();
        var pages = new List<(int, long)>();
        while (await projection.WritePageAsync(pages.Count == 0 ? 0 : pages[^1].Item2, CancellationToken.None) is { } page) pages.Add(page);
        (await projection.PruneAsync(CancellationToken.None)).ShouldBe(700);

        pages.ShouldBe([(500, 500), (200, 700)]);
        (await harness.TextsAsync(RowsSql)).ShouldBe(followed);
        (await harness.LongAsync("SELECT generation FROM search_progress")).ShouldBe(1);
    }

    [Fact]
    public async Task The_command_makes_it_anew_goes_on_where_it_was_cut_off_and_can_be_about_one_crate()
    {
        await using var harness = await WorkerHarness.StartAsync("update-search rebuild");
        for (var i = 0; i < 3; i++) await CrateAsync(harness, $"crate-{i}", "x");
        var rebuild = await harness.Database.WriteAsync(static sql => RebuildRows.AskAsync(sql, ProjectionKinds.Search, null, null, null));
        await harness.ExecuteAsync("UPDATE rebuilds SET state = 'running', position = 1, done = 1");

        await harness.DeliverAsync(new Rebuild(rebuild.Id));

        (await harness.TextAsync("SELECT state || ': ' || result FROM rebuilds")).ShouldBe("done: 2 rows in place");
        (await harness.TextsAsync("SELECT name FROM search ORDER BY crate_id")).ShouldBe("crate-1, crate-2");

        var one = await harness.Database.WriteAsync(static sql => RebuildRows.AskAsync(sql, ProjectionKinds.Search, "crate_0", null, null));
        await harness.DeliverAsync(new Rebuild(one.Id));
        (await harness.LongAsync("SELECT COUNT(*) FROM search")).ShouldBe(3);
    }

    [Fact]
    public async Task Two_processes_that_follow_at_once_leave_what_one_would()
    {
        await using var one = await WorkerHarness.StartAsync("update-search");
        await using var two = await WorkerHarness.StartAsync("update-search", beside: one);
        for (var round = 0; round < 5; round++)
        {
            for (var i = 0; i < 20; i++) await CrateAsync(one, $"crate-{round}-{i}", "x");
            await Task.WhenAll(one.DeliverAsync(new UpdateSearch()), two.DeliverAsync(new UpdateSearch()));
        }

        (await one.LongAsync("SELECT COUNT(*) FROM search WHERE is_shown")).ShouldBe(100);
        (await BehindAsync(one)).ShouldBe(0);
    }

    private static ValueTask<long?> BehindAsync(WorkerHarness harness) => harness.LongAsync("SELECT (SELECT max(id) FROM changes) - watermark FROM search_progress");

    private static Task<long> CrateAsync(WorkerHarness harness, string name, string? description, string keywords = "[]", string categories = "[]", bool inForce = true) =>
        harness.Database.WriteAsync(async sql =>
        {
            var id = await sql.LongAsync(
                """
                INSERT INTO crates (canonical, name, revision, description, keywords, categories, default_rank, last_published_at, created_at, updated_at)
                VALUES ($1, $2, 0, $3, $4, $5, $6, 0, 1, 2) RETURNING id
                """,
                Contracts.CanonicalName.Of(name).Text, name, description, keywords, categories, new byte[] { inForce ? (byte)1 : (byte)0, 7 });
            return (await Revisions.BumpAsync(sql, id!.Value, ChangeKinds.Publish, "1.0.0")).CrateId;
        }).AsTask();
}
