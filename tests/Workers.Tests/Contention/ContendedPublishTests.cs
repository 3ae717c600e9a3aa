using Pipeline.Contracts;
using Pipeline.Contracts.Publishing;
using Pipeline.Registry.Store;
using Pipeline.Registry.Truth;
using Pipeline.Workers.Tests.Harness;

namespace Pipeline.Workers.Tests.Contention;

/// <summary>The manifest stage of two processes on one database, with 16 writers each, on either engine.</summary>
[Trait("Engine", "both")]
public class ContendedPublishTests
{
    private const string Queue = "read-manifest";
    private const int Writers = 16;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Of_16_publishes_of_one_version_exactly_one_wins_and_the_bytes_served_are_its_own(bool onPostgres)
    {
        await using var one = await WorkerHarness.StartAsync(Queue, onPostgres: onPostgres);
        await using var two = await WorkerHarness.StartAsync(Queue, beside: one);
        for (var round = 0; round < 3; round++)
        {
            var num = $"1.{round}.0";
            for (var i = 0; i < Writers; i++) await one.CheckedAsync("foo", num, WorkerHarness.Manifest("foo", num, $"keywords = [\"k{i}\"]"));

            await DecideAllAsync(one, two);

            (await one.LongAsync("SELECT count(*) FROM publishes WHERE num = $1 AND state = 'accepted'", num)).ShouldBe(1);
            (await one.LongAsync("SELECT count(*) FROM publishes WHERE num = $1 AND verdict_code = 'version-exists'", num)).ShouldBe(Writers - 1, await CodesAsync(one));
            (await one.LongAsync("SELECT count(*) FROM versions WHERE num = $1", num)).ShouldBe(1);
            await using var served = await one.Store.OpenAsync(StoreKeys.Crate("foo", num));
            using var bytes = new MemoryStream();
            await served!.Content.CopyToAsync(bytes, TestContext.Current.CancellationToken);
            Checksum.OfContent(bytes.ToArray()).ToString().ShouldBe(await one.TextAsync("SELECT checksum FROM versions WHERE num = $1", num));
        }

        (await one.LongAsync("SELECT count(*) FROM reservations")).ShouldBe(0);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Of_16_versions_of_a_new_crate_none_loses_its_revision_and_changes_and_times_are_in_one_order(bool onPostgres)
    {
        await using var one = await WorkerHarness.StartAsync(Queue, onPostgres: onPostgres);
        await using var two = await WorkerHarness.StartAsync(Queue, beside: one);
        for (var i = 0; i < Writers; i++) await one.CheckedAsync("foo", $"1.{i}.0");

        await DecideAllAsync(one, two);

        (await one.TextAsync("SELECT revision || ' ' || num_versions || ' ' || default_version FROM crates")).ShouldBe($"{Writers} {Writers} 1.15.0");
        (await one.LongAsync("SELECT count(*) FROM projections WHERE wanted = $1", (long)Writers)).ShouldBe(2);
        (await one.LongAsync("SELECT count(*) FROM changes")).ShouldBe(Writers);
        (await one.LongAsync(
            """
            SELECT count(*) FROM changes a JOIN versions v ON v.num = a.num, changes b JOIN versions w ON w.num = b.num
            WHERE a.id < b.id AND (a.revision >= b.revision OR v.published_at >= w.published_at)
            """)).ShouldBe(0);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_reservation_that_a_decided_publish_left_behind_holds_up_nobody(bool onPostgres)
    {
        await using var harness = await WorkerHarness.StartAsync(Queue, onPostgres: onPostgres);
        var expired = await harness.CheckedAsync("foo", "1.0.0");
        await harness.Database.WriteAsync(sql => Publishes.RejectAsync(sql, expired, new Reject(RejectCodes.Expired, 408, "too late"), 0));
        await harness.ExecuteAsync(
            "INSERT INTO reservations (namespace, source, canonical, num_no_build, holder, fence, reserved_at) VALUES ('', 'local', 'foo', '1.0.0', $1, 3, now_us())", expired);

        await harness.DeliverAsync(new ReadManifest(await harness.CheckedAsync("foo", "1.0.0")));

        (await harness.LongAsync("SELECT count(*) FROM versions")).ShouldBe(1);
        (await harness.LongAsync("SELECT count(*) FROM reservations")).ShouldBe(0);
    }

    [Fact]
    public async Task An_owner_who_is_removed_while_his_publish_waits_for_the_crates_row_publishes_nothing()
    {
        await using var harness = await WorkerHarness.StartAsync(Queue, onPostgres: true);
        await harness.DeliverAsync(new ReadManifest(await harness.CheckedAsync("foo", "1.0.0")));
        var late = await harness.CheckedAsync("foo", "2.0.0");
        var locked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var removal = harness.Database.WriteAsync(async sql =>
        {
            await CrateLookup.LockCrateAsync(sql, "foo");
            await sql.ExecuteAsync("DELETE FROM owners");
            locked.TrySetResult();
            await release.Task;
            return 0;
        });
        await locked.Task;

        var delivery = harness.BeginDelivery(new ReadManifest(late));
        while (await harness.LongAsync("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()") == 0)
            await Task.Delay(10, TestContext.Current.CancellationToken);
        release.SetResult();
        await removal;
        await delivery;

        (await harness.TextAsync("SELECT verdict_code FROM publishes WHERE id = $1", late)).ShouldBe("not-owner");
        (await harness.LongAsync("SELECT revision FROM crates")).ShouldBe(1);
        (await harness.LongAsync("SELECT count(*) FROM versions")).ShouldBe(1);
    }

    /// <summary>Rings for what is undecided, in both processes at once, as sweeps do, until all is decided.</summary>
    private static async Task DecideAllAsync(WorkerHarness one, WorkerHarness two)
    {
        for (var round = 0; round < 2 * Writers; round++)
        {
            var open = await one.Database.ReadAsync(static sql => sql.QueryAsync("SELECT id FROM publishes WHERE decided_at IS NULL", static row => row.Text(0)));
            if (open.Count == 0) return;
            await Task.WhenAll(open.SelectMany(id => new[] { one.BeginDelivery(new ReadManifest(id)), two.BeginDelivery(new ReadManifest(id)) }));
        }

        throw new InvalidOperationException("publishes are left undecided");
    }

    private static async Task<string> CodesAsync(WorkerHarness harness) => await harness.TextsAsync("SELECT state || ' ' || coalesce(verdict_code, '') FROM publishes");
}
