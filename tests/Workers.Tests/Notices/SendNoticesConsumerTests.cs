using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Pipeline.Contracts;
using Pipeline.Contracts.Notices;
using Pipeline.Registry.Changes;
using Pipeline.Registry.Failures;
using Pipeline.Registry.Identity;
using Pipeline.Registry.Options;
using Pipeline.Registry.Truth;
using Pipeline.Workers.Notices;
using Pipeline.Workers.Tests.Cdn;
using Pipeline.Workers.Tests.Harness;

namespace Pipeline.Workers.Tests.Notices;

public sealed class SendNoticesConsumerTests
{
    private const string Key = "a key of sixteen bytes or more";
    private static readonly NoticeOptions Local = new() { AllowedNetworks = ["127.0.0.0/8", "::1/128"], Attempts = 3, TimeoutSeconds = 5 };

    [Fact]
    public async Task Every_change_is_told_once_in_order_signed()
    {
        await using var receiver = FakeServer.Start(static _ => new Reply(200));
        await using var harness = await StartAsync();
        await harness.AddAsync(receiver.Url + "/hook?x=1");
        await harness.ChangeAsync("foo", ChangeKinds.Publish, "1.0.0");
        await harness.ChangeAsync("foo", ChangeKinds.Yank, "1.0.0");
        await harness.ChangeAsync("bar", ChangeKinds.Owners, null, """{"added":["bob"]}""");

        await harness.RingAsync();

        Told(receiver).ShouldBe("publish foo 1.0.0, yank foo 1.0.0, owners bar ");
        foreach (var notice in receiver.Received)
        {
            notice.ToString().ShouldBe("POST /hook?x=1");
            notice.Headers["Content-Type"].ShouldBe("application/json");
            var age = DateTimeOffset.UtcNow - DateTimeOffset.FromUnixTimeSeconds(long.Parse(notice.Headers["webhook-timestamp"], CultureInfo.InvariantCulture));
            age.ShouldBeInRange(TimeSpan.FromSeconds(-5), TimeSpan.FromSeconds(60));
            var signed = Encoding.UTF8.GetBytes($"{notice.Headers["webhook-id"]}.{notice.Headers["webhook-timestamp"]}.{notice.Text}");
            notice.Headers["webhook-signature"].ShouldBe("v1," + Convert.ToBase64String(HMACSHA256.HashData(Encoding.UTF8.GetBytes(Key), signed)));
        }

        receiver.Received.Select(static notice => notice.Headers["webhook-id"]).Distinct().Count().ShouldBe(3);
        (await harness.LongAsync("SELECT watermark - (SELECT max(id) FROM changes) FROM webhooks")).ShouldBe(0);

        // The bell again: nothing is left to tell.
        await harness.RingAsync();
        receiver.Received.Count.ShouldBe(3);
    }

    [Fact]
    public async Task A_notice_that_was_told_but_not_noted_is_told_again_with_the_same_id_and_bytes()
    {
        await using var receiver = FakeServer.Start(static _ => new Reply(204));
        await using var harness = await StartAsync();
        await harness.AddAsync(receiver.Url);
        await harness.ChangeAsync("foo", ChangeKinds.Publish, "1.0.0");
        await harness.RingAsync();

        // As after a kill between the two.
        await harness.ExecuteAsync("UPDATE webhooks SET watermark = 0");
        await harness.RingAsync();

        receiver.Received.Count.ShouldBe(2);
        receiver.Received[1].Headers["webhook-id"].ShouldBe(receiver.Received[0].Headers["webhook-id"]);
        receiver.Received[1].Body.ShouldBe(receiver.Received[0].Body);
    }

    [Fact]
    public async Task What_a_webhook_does_not_want_is_passed_over()
    {
        await using var receiver = FakeServer.Start(static _ => new Reply(200));
        await using var harness = await StartAsync();
        await harness.AddAsync(receiver.Url, kinds: ["yank"], crates: ["fo*"]);
        foreach (var (crate, kind) in new[] { ("foo", "publish"), ("bar", "yank"), ("foo", "yank"), ("foo", "unyank") }) await harness.ChangeAsync(crate, kind, "1.0.0");

        await harness.RingAsync();

        Told(receiver).ShouldBe("yank foo 1.0.0");
        (await harness.LongAsync("SELECT watermark - (SELECT max(id) FROM changes) FROM webhooks")).ShouldBe(0);
    }

    [Fact]
    public async Task A_failed_notice_is_tried_again_before_the_next_one_and_its_failure_is_resolved()
    {
        var answers = new Queue<Reply>([new Reply(500, "no"), new Reply(503), new Reply(200), new Reply(200)]);
        await using var receiver = FakeServer.Start(_ => answers.Dequeue());
        await using var harness = await StartAsync();
        await harness.AddAsync(receiver.Url);
        await harness.ChangeAsync("foo", ChangeKinds.Publish, "1.0.0");
        await harness.ChangeAsync("foo", ChangeKinds.Publish, "2.0.0");

        await harness.RingAsync();
        (await harness.TextAsync("SELECT attempts || ' ' || last_error FROM webhooks")).ShouldBe("1 the webhook answered with status 500");
        (await harness.FailuresAsync()).ShouldBe(["transient/webhook-refused"]);

        // Not before its time.
        await harness.RingAsync();
        receiver.Received.Count.ShouldBe(1);

        await harness.WaitedAsync();
        await harness.RingAsync();
        await harness.WaitedAsync();
        await harness.RingAsync();

        Told(receiver).ShouldBe("publish foo 1.0.0, publish foo 1.0.0, publish foo 1.0.0, publish foo 2.0.0");
        receiver.Received.Take(3).Select(static notice => notice.Headers["webhook-id"]).Distinct().ShouldHaveSingleItem();
        (await harness.FailuresAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_notice_that_fails_too_often_is_given_up_and_told_after_all_when_it_is_replayed()
    {
        var isWell = false;
        await using var receiver = FakeServer.Start(notice => new Reply(isWell || notice.Text.Contains("2.0.0", StringComparison.Ordinal) ? 200 : 400));
        await using var harness = await StartAsync();
        await harness.AddAsync(receiver.Url);
        await harness.ChangeAsync("foo", ChangeKinds.Publish, "1.0.0");
        await harness.ChangeAsync("foo", ChangeKinds.Publish, "2.0.0");
        for (var i = 0; i < 4; i++)
        {
            await harness.RingAsync();
            await harness.WaitedAsync();
        }

        Told(receiver).ShouldBe("publish foo 1.0.0, publish foo 1.0.0, publish foo 1.0.0, publish foo 2.0.0");
        (await harness.FailuresAsync()).ShouldBe(["fault/NoticeGivenUpException"]);
        var key = (await harness.TextAsync("SELECT key FROM failures WHERE resolved_at IS NULL"))!;
        key.ShouldBe($"1/{await harness.LongAsync("SELECT min(id) FROM changes")}");

        // A replay that fails leaves it given up; one that succeeds resolves it.
        await harness.ReplayAsync(key);
        receiver.Received.Count.ShouldBe(5);
        (await harness.FailuresAsync()).ShouldBe(["fault/NoticeGivenUpException"]);
        isWell = true;
        await harness.ReplayAsync(key);

        receiver.Received.Count.ShouldBe(6);
        receiver.Received[5].Headers["webhook-id"].ShouldBe(receiver.Received[0].Headers["webhook-id"]);
        (await harness.FailuresAsync()).ShouldBeEmpty();
        (await harness.LongAsync("SELECT count(*) FROM notices")).ShouldBe(0);
    }

    [Fact]
    public async Task A_webhook_that_hangs_holds_up_no_other_and_is_given_back()
    {
        var hangs = new TaskCompletionSource<Reply>();
        await using var slow = FakeServer.Start(_ => hangs.Task);
        await using var quick = FakeServer.Start(static _ => new Reply(200));
        await using var harness = await StartAsync(Local with { TimeoutSeconds = 3 });
        await harness.AddAsync(slow.Url);
        await harness.AddAsync(quick.Url);
        await harness.ChangeAsync("foo", ChangeKinds.Publish, "1.0.0");

        await harness.DeliverAsync(new SendNotices());
        await UntilAsync(() => slow.Received.Count == 1 && quick.Received.Count == 1);
        await harness.ChangeAsync("foo", ChangeKinds.Yank, "1.0.0");
        await harness.DeliverAsync(new SendNotices());
        await UntilAsync(() => quick.Received.Count == 2);

        slow.Received.Count.ShouldBe(1);
        await harness.Services.GetRequiredService<WebhookDrains>().WhenIdleAsync();
        (await harness.FailuresAsync()).ShouldBe(["transient/webhook-away"]);
        (await harness.TextAsync("SELECT last_error FROM webhooks WHERE id = 1")).ShouldBe("the webhook did not answer within 3 s");
        (await harness.LongAsync("SELECT count(*) FROM webhooks WHERE taken_by IS NULL")).ShouldBe(2);
        hangs.SetResult(new Reply(200));
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("localhost")]
    [InlineData("[::ffff:127.0.0.1]")]
    public async Task An_address_that_is_not_public_is_not_connected_to(string host)
    {
        await using var receiver = FakeServer.Start(static _ => new Reply(200));
        await using var harness = await StartAsync(new NoticeOptions());
        await harness.AddAsync($"http://{host}:{receiver.Port}/");
        await harness.ChangeAsync("foo", ChangeKinds.Publish, "1.0.0");

        await harness.RingAsync();

        receiver.Received.ShouldBeEmpty();
        (await harness.FailuresAsync()).ShouldBe(["transient/webhook-forbidden"]);
    }

    [Fact]
    public async Task A_redirect_is_not_followed()
    {
        await using var other = FakeServer.Start(static _ => new Reply(200));
        await using var receiver = FakeServer.Start(_ => new Reply(307, "", ("Location", other.Url)));
        await using var harness = await StartAsync();
        await harness.AddAsync(receiver.Url);
        await harness.ChangeAsync("foo", ChangeKinds.Publish, "1.0.0");

        await harness.RingAsync();

        other.Received.ShouldBeEmpty();
        (await harness.FailuresAsync()).ShouldBe(["transient/webhook-refused"]);
    }

    [Fact]
    public async Task A_long_answer_is_not_read()
    {
        await using var receiver = FakeServer.Start(static _ => new Reply(200, new string('x', 8 * 1024 * 1024)));
        await using var harness = await StartAsync();
        await harness.AddAsync(receiver.Url);
        await harness.ChangeAsync("foo", ChangeKinds.Publish, "1.0.0");
        await harness.ChangeAsync("foo", ChangeKinds.Publish, "2.0.0");

        await harness.RingAsync();

        Told(receiver).ShouldBe("publish foo 1.0.0, publish foo 2.0.0");
    }

    [Fact]
    public async Task Two_processes_tell_each_change_once_and_in_order()
    {
        await using var receiver = FakeServer.Start(static async _ =>
        {
            await Task.Delay(5);
            return new Reply(200);
        });
        await using var one = await StartAsync();
        await using var two = await WorkerHarness.StartAsync("send-notices", notices: Local, beside: one);
        await one.AddAsync(receiver.Url);
        for (var i = 0; i < 30; i++)
        {
            await one.ChangeAsync("foo", ChangeKinds.Publish, $"{i}.0.0");
            await Task.WhenAll(one.DeliverAsync(new SendNotices()), two.DeliverAsync(new SendNotices()));
        }

        await one.IdleAsync();
        await two.IdleAsync();
        await one.RingAsync();

        Told(receiver).ShouldBe(string.Join(", ", Enumerable.Range(0, 30).Select(static i => $"publish foo {i}.0.0")));
    }

    [Fact]
    public async Task A_fault_of_ours_is_filed_and_leaves_the_webhook_for_later()
    {
        await using var receiver = FakeServer.Start(static _ => new Reply(200));
        await using var harness = await StartAsync();
        await harness.AddAsync(receiver.Url);
        await harness.ChangeAsync("foo", ChangeKinds.Owners, null, "no JSON");

        await harness.RingAsync();

        receiver.Received.ShouldBeEmpty();
        (await harness.FailuresAsync()).ShouldHaveSingleItem().ShouldStartWith("fault/");
        (await harness.LongAsync("SELECT count(*) FROM webhooks WHERE next_try_at > now_us() AND taken_by IS NULL")).ShouldBe(1);
    }

    private static Task<WorkerHarness> StartAsync(NoticeOptions? options = null) => WorkerHarness.StartAsync("send-notices", notices: options ?? Local);

    private static string Told(FakeServer receiver) => string.Join(", ", receiver.Received.Select(static notice =>
    {
        var change = System.Text.Json.JsonDocument.Parse(notice.Body).RootElement;
        return $"{change.GetProperty("kind").GetString()} {change.GetProperty("crate").GetString()} {change.GetProperty("version").GetString()}";
    }));

    private static async Task UntilAsync(Func<bool> holds)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (!holds()) await Task.Delay(5, limit.Token);
    }
}

/// <summary>What these tests do to the database and the worker.</summary>
internal static class ToldRegistry
{
    public static Task<long?> AddAsync(this WorkerHarness harness, string url, string[]? kinds = null, string[]? crates = null) =>
        harness.Database.WriteAsync(sql => Webhooks.AddAsync(sql, url, new Secret("a key of sixteen bytes or more"), kinds ?? [], crates ?? [], 0, Actor.System)).AsTask();

    public static Task<long> ChangeAsync(this WorkerHarness harness, string crate, string kind, string? num, string? data = null) => harness.Database.WriteAsync(async sql =>
    {
        var id = await sql.LongAsync(
            """
            INSERT INTO crates (canonical, name, revision, last_published_at, created_at, updated_at) VALUES ($1, $1, 0, 0, 0, 0)
            ON CONFLICT (namespace, source, canonical) DO UPDATE SET readme = NULL RETURNING id
            """,
            crate);
        return (await Revisions.BumpAsync(sql, id!.Value, kind, num, data)).Change;
    }).AsTask();

    public static Task IdleAsync(this WorkerHarness harness) => harness.Services.GetRequiredService<WebhookDrains>().WhenIdleAsync();

    /// <summary>Rings and waits until everything that was begun has ended.</summary>
    public static async Task RingAsync(this WorkerHarness harness)
    {
        await harness.DeliverAsync(new SendNotices());
        await harness.IdleAsync();
    }

    /// <summary>Replays a failure as an operator does, and rings as the sweep does.</summary>
    public static async Task ReplayAsync(this WorkerHarness harness, string key)
    {
        var id = await harness.LongAsync("SELECT id FROM failures WHERE key = $1 AND resolved_at IS NULL", key);
        (await harness.Replay.RunAsync([id!.Value], Actor.System, CancellationToken.None)).ShouldBe([new ReplayResult(id.Value, Replayed.Reset)]);
        await harness.RingAsync();
    }

    /// <summary>As if every wait were over.</summary>
    public static Task WaitedAsync(this WorkerHarness harness) => harness.ExecuteAsync("UPDATE webhooks SET next_try_at = now_us()").AsTask();
}
