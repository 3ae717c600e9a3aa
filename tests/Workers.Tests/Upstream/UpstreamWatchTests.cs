using Pipeline.Contracts.Notices;
using Pipeline.Contracts.Upkeep;
using Pipeline.Registry.Options;
using Pipeline.Registry.Upstreams;
using static Pipeline.Workers.Tests.Upstream.MirrorFixture;

namespace Pipeline.Workers.Tests.Upstream;

/// <summary>Operators are told when an upstream cannot be followed and when it can again: once each, whoever looks and however often.</summary>
public sealed class UpstreamWatchTests
{
    private const string Queues = "sync-upstream sweep";

    private static readonly MailOptions Mail = new() { Host = "127.0.0.1", From = "registry@example.org", To = ["operator@example.org"] };

    [Fact]
    public async Task A_sync_that_fails_again_and_again_is_told_once_and_so_is_its_recovery()
    {
        await using var mirror = await StartAsync(queues: Queues, mail: Mail);
        mirror.Commit(("serde", Line("serde", "1.0.0")));
        await mirror.SyncAsync();
        Directory.Move(mirror.Remote.Repository, mirror.Remote.Repository + ".away");
        await mirror.SyncAsync();
        await mirror.SyncAsync();
        await mirror.Harness.DeliverAsync(new Sweep());
        (await ToldAsync(mirror)).ShouldBeEmpty();

        await mirror.SyncAsync();
        await mirror.Harness.DeliverAsync(new Sweep());
        await mirror.SyncAsync();
        await mirror.Harness.DeliverAsync(new Sweep());

        (await ToldAsync(mirror)).ShouldBe("""upstream-trouble {"upstream":"crates-io","incident":1,"reason":"failing"}""");
        (await mirror.Harness.TextsAsync("SELECT subject FROM mails ORDER BY id")).ShouldBe("Upstream crates-io cannot be followed");
        (await mirror.Harness.TextAsync("SELECT body FROM mails")).ShouldNotBeNull().ShouldContain("3 syncs failed in a row: git fetch ended with 128");
        var standing = await mirror.Harness.Database.ReadAsync(UpstreamViews.StandingAsync);
        standing.ShouldHaveSingleItem().Incident.ShouldNotBeNull().Reason.ShouldBe("failing");
        mirror.Harness.Bells.Rung.ShouldContain(new SendMail(1));
        mirror.Harness.Bells.Rung.ShouldContain(new SendNotices());

        Directory.Move(mirror.Remote.Repository + ".away", mirror.Remote.Repository);
        await mirror.SyncAsync();
        await mirror.Harness.DeliverAsync(new Sweep());
        await mirror.Harness.DeliverAsync(new Sweep());

        (await ToldAsync(mirror)).ShouldEndWith(""", upstream-recovered {"upstream":"crates-io","incident":1,"reason":null}""");
        (await mirror.Harness.TextsAsync("SELECT subject FROM mails ORDER BY id")).ShouldBe("Upstream crates-io cannot be followed, Upstream crates-io is followed again");
        (await mirror.Harness.Database.ReadAsync(UpstreamViews.StandingAsync)).ShouldHaveSingleItem().Incident.ShouldBeNull();
    }

    [Fact]
    public async Task An_upstream_that_nobody_has_looked_at_for_too_long_is_stale_and_a_second_incident_is_told_again()
    {
        await using var mirror = await StartAsync(queues: Queues, mail: Mail);
        mirror.Commit(("serde", Line("serde", "1.0.0")));
        await mirror.SyncAsync();
        for (var time = 0; time < 2; time++)
        {
            await mirror.Harness.ExecuteAsync("UPDATE upstreams SET checked_at = now_us() - 7201000000");
            await mirror.Harness.DeliverAsync(new Sweep());
            await mirror.Harness.DeliverAsync(new Sweep());
            await mirror.SyncAsync();
            await mirror.Harness.DeliverAsync(new Sweep());
        }

        (await mirror.Harness.TextsAsync("SELECT subject FROM mails ORDER BY id")).ShouldBe(
            "Upstream crates-io is stale, Upstream crates-io is followed again, Upstream crates-io is stale, Upstream crates-io is followed again");
        (await mirror.Harness.TextsAsync("SELECT text FROM upstream_incidents")).ShouldBe("its last good sync was 2 hours ago, its last good sync was 2 hours ago");
    }

    [Fact]
    public async Task Without_a_mail_server_only_webhooks_are_told_and_an_upstream_that_is_removed_troubles_nobody()
    {
        await using var mirror = await StartAsync(queues: Queues);
        await mirror.Harness.ExecuteAsync("UPDATE upstreams SET added_at = 0");
        await mirror.Harness.DeliverAsync(new Sweep());
        await mirror.Harness.Database.WriteAsync(sql => UpstreamStore.RemoveAsync(sql, Name));
        await mirror.Harness.DeliverAsync(new Sweep());

        (await ToldAsync(mirror)).ShouldBe("""upstream-trouble {"upstream":"crates-io","incident":1,"reason":"stale"}""");
        (await mirror.Harness.LongAsync("SELECT COUNT(*) FROM mails")).ShouldBe(0);
        (await mirror.Harness.LongAsync("SELECT COUNT(*) FROM upstream_incidents WHERE closed_at IS NOT NULL")).ShouldBe(1);
    }

    [Fact]
    public async Task A_mail_that_was_not_sent_is_rung_by_the_sweep_and_one_that_was_is_not()
    {
        await using var mirror = await StartAsync(queues: Queues, mail: Mail);
        mirror.Commit(("serde", Line("serde", "1.0.0")));
        await mirror.SyncAsync();
        await mirror.Harness.ExecuteAsync("INSERT INTO mails (subject, body, created_at) VALUES ('waits', '', 0)");
        await mirror.Harness.ExecuteAsync("INSERT INTO mails (subject, body, created_at, next_try_at) VALUES ('later', '', 0, now_us() + 60000000)");
        await mirror.Harness.ExecuteAsync("INSERT INTO mails (subject, body, created_at, sent_at) VALUES ('sent', '', 0, 1)");

        await mirror.Harness.DeliverAsync(new Sweep());

        mirror.Harness.Bells.Rung.OfType<SendMail>().ShouldBe([new SendMail(1)]);
    }

    private static ValueTask<string> ToldAsync(MirrorFixture mirror) =>
        mirror.Harness.TextsAsync("SELECT kind || ' ' || data FROM changes WHERE kind LIKE 'upstream%' ORDER BY id");
}
