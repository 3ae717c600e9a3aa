using Pipeline.Registry.Store;
using Pipeline.Registry.Truth;

namespace Pipeline.Api.Tests;

public class ReadOnlyTests
{
    private const string Refusal = "Service unavailable: " + ReadOnlyState.Text;

    [Theory]
    [InlineData("DELETE", "/api/v1/crates/foo/1.0.0/yank", null)]
    [InlineData("PUT", "/api/v1/crates/foo/owners", """{"users":["bob"]}""")]
    [InlineData("DELETE", "/api/v1/crates/foo", null)]
    public async Task A_registry_that_was_restored_refuses_writes_with_a_reason_and_changes_nothing(string method, string path, string? body)
    {
        await using var fixture = await ApiFixture.CreateAsync();
        await fixture.PublishAsync("ann", "foo", "1.0.0");
        await fixture.UserAsync("bob");
        var token = await fixture.TokenAsync("ann");
        await fixture.Temp.Database.WriteAsync(static sql => ReadOnlyState.BeginEpochAsync(sql, "test"));
        var before = await StateAsync(fixture);

        (await fixture.SendAsync(method, path, token, body)).ShouldFail(503, Refusal);

        (await StateAsync(fixture)).ShouldBe(before);
        await fixture.Temp.Database.WriteAsync(ReadOnlyState.EndAsync);
        (await fixture.SendAsync(method, path, token, body)).Status.ShouldBeInRange(200, 204);
    }

    [Fact]
    public async Task Index_downloads_and_what_only_reads_go_on()
    {
        await using var fixture = await ApiFixture.CreateAsync();
        await fixture.PublishAsync("ann", "foo", "1.0.0");
        await fixture.Store.PutAsync(StoreKeys.Crate("foo", "1.0.0"), "bytes"u8.ToArray(), TestContext.Current.CancellationToken);
        await fixture.Store.PutAsync(StoreKeys.SparseFile("3/f/foo"), "line\n"u8.ToArray(), TestContext.Current.CancellationToken);
        await fixture.Temp.Database.WriteAsync(static sql => ReadOnlyState.BeginEpochAsync(sql, "test"));

        (await fixture.GetAsync("/index/3/f/foo")).Text.ShouldBe("line\n");
        (await fixture.GetAsync("/crates/foo/foo-1.0.0.crate")).Text.ShouldBe("bytes");
        (await fixture.GetAsync("/api/v1/crates/foo")).Status.ShouldBe(200);
    }

    [Fact]
    public async Task Each_restoration_is_a_new_epoch()
    {
        await using var fixture = await ApiFixture.CreateAsync();
        var first = await fixture.Temp.Database.WriteAsync(static sql => ReadOnlyState.BeginEpochAsync(sql, "one"));
        var second = await fixture.Temp.Database.WriteAsync(static sql => ReadOnlyState.BeginEpochAsync(sql, "two"));
        second.ShouldNotBe(first);
        (await fixture.Temp.TextAsync("SELECT epoch FROM registry")).ShouldBe(second);
        (await fixture.Temp.Database.WriteAsync(ReadOnlyState.EndAsync)).ShouldBeTrue();
        (await fixture.Temp.Database.WriteAsync(ReadOnlyState.EndAsync)).ShouldBeFalse();
    }

    [Theory]
    [InlineData("done", 0, 0, 5, true)]
    [InlineData("done", 1, 0, 5, false)]
    [InlineData("done", 0, 2, 5, false)]
    [InlineData("failed", 0, 0, 5, false)]
    [InlineData("running", 0, 0, 5, false)]
    [InlineData("done", 0, 0, -5, false)]
    public async Task It_takes_writes_again_once_a_reconcile_run_that_began_since_found_nothing(string state, long open, long inFlight, long secondsAfter, bool ends)
    {
        await using var fixture = await ApiFixture.CreateAsync();
        await fixture.Temp.Database.WriteAsync(static sql => ReadOnlyState.BeginEpochAsync(sql, "test"));
        (await fixture.Temp.Database.WriteAsync(ReadOnlyState.EndWhenReconciledAsync)).ShouldBeFalse();
        await RunAsync(fixture, state, open, inFlight, secondsAfter);

        (await fixture.Temp.Database.WriteAsync(ReadOnlyState.EndWhenReconciledAsync)).ShouldBe(ends);
        (await fixture.Temp.Database.ReadAsync(ReadOnlyState.IsOnAsync)).ShouldBe(!ends);
    }

    [Fact]
    public async Task A_clean_run_that_a_later_one_contradicts_does_not_count()
    {
        await using var fixture = await ApiFixture.CreateAsync();
        await fixture.Temp.Database.WriteAsync(static sql => ReadOnlyState.BeginEpochAsync(sql, "test"));
        await RunAsync(fixture, "done", 0, 0, 5);
        await RunAsync(fixture, "done", 3, 0, 6);
        (await fixture.Temp.Database.WriteAsync(ReadOnlyState.EndWhenReconciledAsync)).ShouldBeFalse();
    }

    private static async Task RunAsync(ApiFixture fixture, string state, long open, long inFlight, long secondsAfter) => await fixture.Temp.ExecuteAsync(
        """
        INSERT INTO reconcile_runs (cause, repair, state, started_at, finished_at, differences_open, in_flight)
        SELECT 'operator', FALSE, CAST($1 AS TEXT), read_only_since + $2, CASE WHEN CAST($1 AS TEXT) = 'running' THEN NULL ELSE read_only_since + $2 + 1 END, CAST($3 AS BIGINT), CAST($4 AS BIGINT) FROM registry
        """,
        state, secondsAfter * 1_000_000, open, inFlight);

    private static Task<string?> StateAsync(ApiFixture fixture) => fixture.Temp.TextAsync(
        "SELECT (SELECT state || revision FROM crates) || (SELECT count(*) FROM owners) || (SELECT count(*) FROM changes) || (SELECT count(*) FROM versions WHERE yanked)").AsTask();
}
