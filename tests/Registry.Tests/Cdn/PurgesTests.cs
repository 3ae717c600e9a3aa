using Pipeline.Registry.Cdn;
using Pipeline.Registry.Truth;

namespace Pipeline.Registry.Tests.Cdn;

public sealed class PurgesTests
{
    private static readonly CdnTarget Edge = new() { Name = "edge", IndexUrls = ["http://edge/"], FileUrls = ["http://edge/crates/"] };
    private static readonly Purges Both = new(new CdnOptions { Targets = [Edge, new CdnTarget { Name = "keyed", IndexUrls = ["http://keyed/"], SurrogateKeys = true }] });

    [Fact]
    public async Task A_change_is_a_row_for_every_target_that_serves_it()
    {
        await using var temp = await TempDatabase.CreateAsync();

        (await temp.Database.WriteAsync(sql => Both.OfIndexFileAsync(sql, new PurgedCrate(1), "3/f/foo", PurgeCauses.First))).ShouldBeTrue();

        (await RowsAsync(temp)).ShouldBe(["edge url index/3/f/foo first", "keyed key index:foo first", "keyed url index/3/f/foo first"]);
    }

    [Theory]
    [InlineData("nothing", "edge url index/3/f/foo changed")]
    [InlineData("taken_at = 1, taken_by = 'x'", "edge url index/3/f/foo changed", "edge url index/3/f/foo changed")]
    [InlineData("confirmed_at = 1", "edge url index/3/f/foo changed", "edge url index/3/f/foo changed")]
    [InlineData("again = TRUE", "edge url index/3/f/foo changed", "edge url index/3/f/foo changed")]
    [InlineData("attempts = 3, due_at = due_at + 1000000", "edge url index/3/f/foo changed")]
    public async Task A_row_that_waits_serves_the_next_change_too_but_one_on_its_way_does_not(string state, params string[] rows)
    {
        await using var temp = await TempDatabase.CreateAsync();
        var purges = new Purges(new CdnOptions { Targets = [Edge] });
        await temp.Database.WriteAsync(sql => purges.OfIndexFileAsync(sql, new PurgedCrate(1), "3/f/foo", PurgeCauses.Changed));
        if (state != "nothing") await temp.ExecuteAsync($"UPDATE purges SET {state}");

        await temp.Database.WriteAsync(sql => purges.OfIndexFileAsync(sql, new PurgedCrate(1), "3/f/foo", PurgeCauses.Changed));

        (await RowsAsync(temp)).ShouldBe(rows);
    }

    [Fact]
    public async Task A_row_that_waits_becomes_hard_when_what_it_names_is_removed_and_stays_so()
    {
        await using var temp = await TempDatabase.CreateAsync();
        var purges = new Purges(new CdnOptions { Targets = [Edge] });
        foreach (var cause in new[] { PurgeCauses.Changed, PurgeCauses.Removed, PurgeCauses.Changed })
            await temp.Database.WriteAsync(sql => purges.OfIndexFileAsync(sql, new PurgedCrate(1), "3/f/foo", cause));

        (await RowsAsync(temp)).ShouldBe(["edge url index/3/f/foo removed"]);
    }

    [Fact]
    public async Task A_file_of_no_crate_is_purged_when_its_content_is_another_than_the_last_time()
    {
        await using var temp = await TempDatabase.CreateAsync();
        async Task<bool> ServeAsync(string content) => await temp.Database.WriteAsync(sql => Both.OfPlainFileAsync(sql, "config.json", System.Text.Encoding.UTF8.GetBytes(content)));

        (await ServeAsync("a")).ShouldBeTrue();
        (await ServeAsync("a")).ShouldBeFalse();
        await temp.ExecuteAsync("UPDATE purges SET confirmed_at = 1");
        (await ServeAsync("b")).ShouldBeTrue();

        (await temp.LongAsync("SELECT COUNT(*) FROM purges WHERE value = 'index/config.json'")).ShouldBe(4);
    }

    [Fact]
    public async Task Without_a_target_nothing_is_written()
    {
        await using var temp = await TempDatabase.CreateAsync();

        (await temp.Database.WriteAsync(sql => new Purges(new CdnOptions()).OfIndexFileAsync(sql, new PurgedCrate(1), "3/f/foo", PurgeCauses.First))).ShouldBeFalse();

        (await temp.LongAsync("SELECT COUNT(*) FROM purges")).ShouldBe(0);
    }

    [Theory]
    [InlineData("target = 'edge'", true)]
    [InlineData("target = 'gone'", false)]
    [InlineData("again = TRUE", false)]
    [InlineData("confirmed_at = 1", false)]
    public async Task A_crate_has_open_purges_while_a_configured_target_has_not_confirmed_one(string state, bool open)
    {
        await using var temp = await TempDatabase.CreateAsync();
        var purges = new Purges(new CdnOptions { Targets = [Edge] });
        await temp.Database.WriteAsync(sql => purges.OfIndexFileAsync(sql, new PurgedCrate(1), "3/f/foo", PurgeCauses.Changed));
        await temp.ExecuteAsync($"UPDATE purges SET {state}");

        (await temp.Database.ReadAsync(sql => purges.AnyOpenAsync(sql, 1))).ShouldBe(open);
    }

    private static ValueTask<List<string>> RowsAsync(TempDatabase temp) =>
        temp.Database.ReadAsync(sql => sql.QueryAsync("SELECT target || ' ' || scope || ' ' || value || ' ' || cause FROM purges ORDER BY id", row => row.Text(0)));
}
