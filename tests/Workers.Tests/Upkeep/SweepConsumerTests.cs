using Pipeline.Contracts.Cdn;
using Pipeline.Contracts.Index;
using Pipeline.Contracts.Publishing;
using Pipeline.Contracts.Upkeep;
using Pipeline.Registry.Failures;
using Pipeline.Registry.Options;
using Pipeline.Workers.Tests.Cdn;
using Pipeline.Workers.Tests.Harness;

namespace Pipeline.Workers.Tests.Upkeep;

public sealed class SweepConsumerTests
{
    private const string Queue = "sweep";

    [Fact]
    public async Task Unrung_publishes_are_rung_for_their_stage()
    {
        await using var harness = await WorkerHarness.StartAsync(Queue);
        var parked = await harness.ParkAsync("foo", "1.0.0");
        var ready = await harness.CheckedAsync("bar", "1.0.0");
        await harness.ExecuteAsync("UPDATE publishes SET rung_at = NULL");

        await harness.DeliverAsync(new Sweep());

        harness.Bells.Rung.ShouldBe([new ReadManifest(ready), new ValidateTarball(parked)]);
    }

    [Fact]
    public async Task A_second_sweep_leaves_alone_what_was_just_rung()
    {
        await using var harness = await WorkerHarness.StartAsync(Queue);
        await harness.ParkAsync("foo", "1.0.0");
        await harness.DeliverAsync(new Sweep());
        harness.Bells.Clear();

        await harness.DeliverAsync(new Sweep());

        harness.Bells.Rung.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_bell_that_was_lost_is_rung_again_after_a_while()
    {
        await using var harness = await WorkerHarness.StartAsync(Queue);
        var id = await harness.ParkAsync("foo", "1.0.0");
        await harness.ExecuteAsync("UPDATE publishes SET rung_at = now_us() - 31000000");

        await harness.DeliverAsync(new Sweep());

        harness.Bells.Rung.ShouldBe([new ValidateTarball(id)]);
    }

    [Fact]
    public async Task Of_a_backlog_no_more_is_rung_than_the_stage_can_hold_and_the_oldest_first()
    {
        await using var harness = await WorkerHarness.StartAsync(Queue, workers: new WorkerOptions { QueueCapacity = 3 });
        var ids = new List<string>();
        for (var i = 0; i < 5; i++) ids.Add(await harness.ParkAsync("foo", $"1.0.{i}"));

        await harness.DeliverAsync(new Sweep());

        harness.Bells.Rung.ShouldBe(ids.Order(StringComparer.Ordinal).Take(3).Select(id => new ValidateTarball(id)));
    }

    [Fact]
    public async Task A_publish_put_off_after_a_failure_waits_for_its_next_try()
    {
        await using var harness = await WorkerHarness.StartAsync(Queue);
        await harness.ParkAsync("foo", "1.0.0");
        var due = await harness.ParkAsync("bar", "1.0.0");
        await harness.ExecuteAsync("UPDATE publishes SET rung_at = now_us() - 60000000, next_try_at = now_us() + 60000000");
        await harness.ExecuteAsync("UPDATE publishes SET next_try_at = now_us() - 1 WHERE id = $1", due);

        await harness.DeliverAsync(new Sweep());

        harness.Bells.Rung.ShouldBe([new ValidateTarball(due)]);
    }

    [Fact]
    public async Task The_bell_of_a_retry_that_was_lost_is_rung_again_after_a_while()
    {
        await using var harness = await WorkerHarness.StartAsync(Queue);
        var id = await harness.ParkAsync("foo", "1.0.0");
        await harness.ExecuteAsync("UPDATE publishes SET next_try_at = now_us() - 40000000, rung_at = now_us() - 39000000");
        await harness.DeliverAsync(new Sweep());
        harness.Bells.Rung.ShouldBe([new ValidateTarball(id)]);
        harness.Bells.Clear();

        await harness.DeliverAsync(new Sweep());

        harness.Bells.Rung.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_parked_row_is_not_rung_whatever_its_last_bell()
    {
        await using var harness = await WorkerHarness.StartAsync(Queue);
        await harness.ParkAsync("foo", "1.0.0");
        await harness.ExecuteAsync("UPDATE publishes SET next_try_at = $1, rung_at = NULL", FailureLog.Parked);

        await harness.DeliverAsync(new Sweep());

        harness.Bells.Rung.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_dead_renderers_claim_is_rung_once_until_the_bell_may_be_lost()
    {
        await using var harness = await WorkerHarness.StartAsync(Queue);
        await harness.ExecuteAsync("INSERT INTO crates (id, canonical, name, revision, last_published_at, created_at, updated_at) VALUES (3, 'a', 'a', 1, 0, 0, 0)");
        await harness.ExecuteAsync("INSERT INTO projections (crate_id, kind, wanted, reached, first_change) VALUES (3, 'sparse', 1, 1, 1)");
        await harness.ExecuteAsync("INSERT INTO claims (id, crate_id, kind, target, revision, process, claimed_at) VALUES ('x', 3, 'sparse', '', 1, 'dead', 0)");
        await harness.DeliverAsync(new Sweep());

        await harness.DeliverAsync(new Sweep());
        harness.Bells.Rung.ShouldBe([new RenderSparse(3)]);

        await harness.ExecuteAsync("UPDATE projections SET rung_at = now_us() - 31000000");
        await harness.DeliverAsync(new Sweep());
        harness.Bells.Rung.Count.ShouldBe(2);
    }

    [Fact]
    public async Task A_publish_past_its_deadline_is_rejected_as_expired_and_gives_its_reservation_back()
    {
        await using var harness = await WorkerHarness.StartAsync(Queue);
        var id = await harness.CheckedAsync("foo", "1.0.0");
        await harness.ExecuteAsync("UPDATE publishes SET deadline_at = now_us() - 1");
        await harness.ExecuteAsync(
            "INSERT INTO reservations (namespace, source, canonical, num_no_build, holder, fence, reserved_at) VALUES ('', 'local', 'foo', '1.0.0', $1, 1, 0)", id);

        await harness.DeliverAsync(new Sweep());

        (await harness.TextAsync("SELECT state || ' ' || verdict_code FROM publishes")).ShouldBe("rejected expired");
        (await harness.LongAsync("SELECT count(*) FROM reservations")).ShouldBe(0);
        harness.Bells.Rung.ShouldBe([new PublishDecided(id)]);
    }

    [Fact]
    public async Task A_publish_past_its_deadline_whose_bytes_may_be_on_their_way_is_not_expired_under_its_worker()
    {
        await using var harness = await WorkerHarness.StartAsync(Queue);
        var id = await harness.CheckedAsync("foo", "1.0.0");
        await harness.ExecuteAsync("UPDATE publishes SET deadline_at = now_us() - 1, rung_at = now_us()");
        await harness.ExecuteAsync(
            "INSERT INTO reservations (namespace, source, canonical, num_no_build, holder, fence, reserved_at) VALUES ('', 'local', 'foo', '1.0.0', $1, 1, now_us())", id);

        await harness.DeliverAsync(new Sweep());
        (await harness.TextAsync("SELECT state FROM publishes")).ShouldBe("checked");

        await harness.ExecuteAsync("UPDATE reservations SET reserved_at = now_us() - 301000000");
        await harness.DeliverAsync(new Sweep());
        (await harness.TextAsync("SELECT state || ' ' || verdict_code FROM publishes")).ShouldBe("rejected expired");
    }

    [Fact]
    public async Task Projections_behind_are_rung_in_the_order_of_the_change_they_lack_and_a_dead_renderers_claim_too()
    {
        await using var harness = await WorkerHarness.StartAsync(Queue);
        foreach (var (name, change) in new[] { ("a", 2L), ("b", 1L), ("c", 3L) })
        {
            var crate = await harness.Database.WriteAsync(sql => sql.LongAsync(
                "INSERT INTO crates (canonical, name, revision, last_published_at, created_at, updated_at) VALUES ($1, $1, 1, 0, 0, 0) RETURNING id", name));
            var reached = name == "c" ? 1L : 0L;
            await harness.ExecuteAsync("INSERT INTO projections (crate_id, kind, wanted, reached, first_change) VALUES ($1, 'sparse', 1, $2, $3)", crate, reached, change);
        }

        await harness.ExecuteAsync("INSERT INTO claims (id, crate_id, kind, target, revision, process, claimed_at) VALUES ('x', 3, 'sparse', '', 1, 'dead', 0)");

        await harness.DeliverAsync(new Sweep());

        harness.Bells.Rung.ShouldBe([new RenderSparse(2), new RenderSparse(1), new RenderSparse(3)]);
    }

    [Fact]
    public async Task A_git_projection_behind_rings_the_writer_once()
    {
        await using var harness = await WorkerHarness.StartAsync(Queue);
        await harness.ExecuteAsync("INSERT INTO crates (canonical, name, revision, last_published_at, created_at, updated_at) VALUES ('a', 'a', 1, 0, 0, 0)");
        await harness.ExecuteAsync("INSERT INTO projections (crate_id, kind, wanted, first_change) VALUES (1, 'git', 1, 1)");

        await harness.DeliverAsync(new Sweep());

        harness.Bells.Rung.ShouldBe([new CommitIndex()]);
    }

    [Theory]
    [InlineData("rung_at = NULL", true)]
    [InlineData("confirmed_at = 1", false)]
    [InlineData("due_at = now_us() + 60000000", false)]
    [InlineData("target = 'gone'", false)]
    [InlineData("taken_at = now_us(), taken_by = 'dead'", true)]
    [InlineData("taken_at = now_us(), taken_by = (SELECT id FROM processes)", false)]
    public async Task A_purge_that_is_due_rings_the_worker_once(string state, bool rings)
    {
        var options = PurgedRegistry.Options(PurgedRegistry.Plain("http://edge.example"));
        await using var harness = await WorkerHarness.StartAsync(Queue, cdn: options);
        await harness.PurgeAsync(options, "3/f/foo");
        await harness.PurgeAsync(options, "3/b/bar");
        await harness.ExecuteAsync($"UPDATE purges SET {state}");

        await harness.DeliverAsync(new Sweep());

        harness.Bells.Rung.ShouldBe(rings ? [new PurgeCdn()] : []);
    }

    [Fact]
    public async Task A_cache_that_is_left_alone_rings_nobody()
    {
        var options = PurgedRegistry.Options(PurgedRegistry.Plain("http://edge.example"));
        await using var harness = await WorkerHarness.StartAsync(Queue, cdn: options);
        await harness.PurgeAsync(options, "3/f/foo");
        await harness.ExecuteAsync("INSERT INTO cdn_targets (name, attempts, last_error, next_try_at) VALUES ('edge', 1, 'e', now_us() + 60000000)");

        await harness.DeliverAsync(new Sweep());

        harness.Bells.Rung.ShouldBeEmpty();
    }

    [Fact]
    public async Task What_failed_on_the_way_of_an_expired_publish_is_over_with_it()
    {
        await using var harness = await WorkerHarness.StartAsync(Queue);
        var id = await harness.ParkAsync("foo", "1.0.0");
        await harness.ExecuteAsync("UPDATE publishes SET deadline_at = now_us() - 1, next_try_at = $1", FailureLog.Parked);
        await harness.ExecuteAsync(
            "INSERT INTO failures (stage, key, kind, code, text, first_seen, last_seen) VALUES ('validate-tarball', $1, 'fault', 'c', 't', 0, 0), ('validate-tarball', 'other', 'fault', 'c', 't', 0, 0)", id);

        await harness.DeliverAsync(new Sweep());

        (await harness.TextAsync("SELECT verdict_code FROM publishes")).ShouldBe("expired");
        (await harness.TextsAsync("SELECT key FROM failures WHERE resolved_at IS NULL")).ShouldBe("other");
        await harness.ExecuteAsync("DELETE FROM failures");
    }

    [Fact]
    public async Task Failures_resolved_purges_confirmed_and_tokens_ended_long_ago_are_forgotten_and_younger_ones_kept()
    {
        const long day = 86_400_000_000;
        await using var harness = await WorkerHarness.StartAsync(Queue);
        var user = await harness.UserAsync("ann");
        await harness.ExecuteAsync(
            """
            INSERT INTO failures (stage, key, kind, code, text, first_seen, last_seen, resolved_at) VALUES
                ('sweep', 'old', 'fault', 'c', 't', 0, 0, now_us() - $1 * 31), ('sweep', 'young', 'fault', 'c', 't', 0, 0, now_us() - $1 * 29)
            """,
            day);
        await harness.ExecuteAsync(
            """
            INSERT INTO purges (target, scope, value, cause, due_at, confirmed_at) VALUES
                ('edge', 'url', 'old', 'changed', 0, now_us() - $1 * 8), ('edge', 'url', 'young', 'changed', 0, now_us() - $1 * 6), ('edge', 'url', 'open', 'changed', 0, NULL)
            """,
            day);
        foreach (var (name, expires, revoked) in new (string, long?, long?)[] { ("expired", 91, null), ("revoked", null, 91), ("lately", 89, 89), ("endless", null, null), ("ahead", -9, null) })
        {
            await harness.ExecuteAsync(
                "INSERT INTO tokens (user_id, name, hash, created_at, expires_at, revoked_at) VALUES ($1, $2, $3, 0, now_us() - $4, now_us() - $5)",
                user, name, System.Text.Encoding.UTF8.GetBytes(name), expires * day, revoked * day);
        }

        await harness.ExecuteAsync("INSERT INTO process_stages (process, stage, running, done_per_minute) VALUES ('dead', 'sweep', 1, 1)");

        await harness.DeliverAsync(new Sweep());
        await harness.DeliverAsync(new Sweep());

        (await harness.TextsAsync("SELECT key FROM failures ORDER BY key")).ShouldBe("young");
        (await harness.TextsAsync("SELECT value FROM purges ORDER BY value")).ShouldBe("open, young");
        (await harness.TextsAsync("SELECT name FROM tokens WHERE forgotten_at IS NOT NULL AND length(hash) = 8 ORDER BY name")).ShouldBe("expired, revoked");
        (await harness.LongAsync("SELECT COUNT(*) FROM tokens")).ShouldBe(5);
        (await harness.LongAsync("SELECT COUNT(*) FROM process_stages")).ShouldBe(0);
    }

    [Fact]
    public async Task A_slot_that_was_done_rings_nothing_when_it_is_sent_again()
    {
        await using var harness = await WorkerHarness.StartAsync(Queue);
        var slot = new DateTimeOffset(2026, 1, 2, 12, 0, 10, TimeSpan.Zero);
        await harness.DeliverAsync(new Sweep(slot));
        await harness.ParkAsync("foo", "1.0.0");

        await harness.DeliverAsync(new Sweep(slot));
        harness.Bells.Rung.ShouldBeEmpty();

        await harness.DeliverAsync(new Sweep(slot.AddSeconds(10)));
        harness.Bells.Rung.ShouldHaveSingleItem();
    }

    [Fact]
    public async Task A_broken_database_row_is_a_fault_of_the_sweep_and_visible()
    {
        await using var harness = await WorkerHarness.StartAsync(Queue);
        await harness.ExecuteAsync("DROP TABLE deletions");

        await harness.DeliverAsync(new Sweep());

        (await harness.FailuresAsync()).ShouldBe([$"fault/{WorkerHarness.DatabaseError}"]);
    }
}
