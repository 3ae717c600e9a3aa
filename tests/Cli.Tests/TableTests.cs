using System.Net;

namespace Pipeline.Cli.Tests;

public class TableTests
{
    [Fact]
    public async Task A_publish_is_shown_with_the_time_each_stage_took()
    {
        using var session = Answering("""
            {"publish":{"id":"0190","crate":"foo","version":"1.0.0","state":"accepted","user":"me","size":5120,"checksum":"ab","received_at":"2026-01-02T03:04:05Z",
            "decided_at":"2026-01-02T03:04:05.02Z","verdict_code":null,"verdict_status":200,"verdict_text":null},"attempts":0,"last_error":null,"next_try_at":null,
            "waits_for":null,"deadline_at":"2026-01-03T03:04:05Z","trace_parent":null,"trace_id":"4bf9","overdue":false,"held_by":null,"stages":[
            {"stage":"intake","state":"done","waited_ms":null,"took_ms":1.5,"done_at":"2026-01-02T03:04:05.0015Z","attempts":1,"failures":[]},
            {"stage":"tarball","state":"done","waited_ms":0.5,"took_ms":12,"done_at":"2026-01-02T03:04:05.0140Z","attempts":3,"failures":[
            {"id":7,"state":"resolved","code":"store-away","text":"away","trace_id":"4bf9","count":2,"last_seen":"2026-01-02T03:04:05Z"}]},
            {"stage":"sparse","state":"waiting","waited_ms":null,"took_ms":null,"done_at":null}]}
            """);
        (await session.RunAsync("publish", "show", "0190")).ShouldBe(0);
        Lines(session).ShouldBe(
        [
            "publish | 0190", "crate | foo 1.0.0", "user | me", "file | 5.0 KiB, SHA-256 ab", "received | 2026-01-02 03:04:05", "state | accepted",
            "trace | 4bf9", "stage | state | waited | took | done | attempts", "intake | done | 1.5 ms | 03:04:05.001 | 1", "tarball | done | 0.5 ms | 12 ms | 03:04:05.014 | 3", "sparse | waiting | 0",
            "tarball: store-away, 2 times, last 2026-01-02 03:04:05, resolved (failure 7, trace 4bf9): away",
        ]);
    }

    [Fact]
    public async Task The_status_names_what_waits_lags_and_failed()
    {
        using var session = Answering("""
            {"stages":[{"stage":"validate-tarball","waiting":1200,"oldest_seconds":3.25,"depth":1000,"capacity":1000,"in_flight":4,"per_second":312.46,"parked":2}],
            "projections":[{"kind":"git","behind":3,"lag_seconds":75,"retrying":1,"parked":1}],"failures":[],
            "counts":{"crates":5000,"versions":12000,"users":3,"undecided":1200},
            "overdue":{"count":1,"expired_last_day":3,"publishes":[
            {"id":"0190","crate":"foo","version":"1.0.0","stage":"read-manifest","deadline_at":"2026-01-02T03:04:05Z","last_error":"away\nfar","waits_for":null}]},
            "claims":[{"kind":"sparse","open":2,"of_dead":1,"oldest_seconds":90},{"kind":"cdn","open":0,"of_dead":0,"oldest_seconds":null}],
            "leases":[{"name":"git-writer","process":"p1","alive":false,"seconds_left":9}],
            "processes":[{"id":"p2","roles":"","started_at":"2026-01-02T03:04:05Z","seen_seconds":4}]}
            """);
        (await session.RunAsync("status")).ShouldBe(0);
        Lines(session).ShouldBe(
        [
            "5,000 crates, 12,000 versions, 3 users, 1,200 publishes undecided", "stage | waiting | oldest | depth | of | in flight | per second | parked", "validate-tarball | 1,200 | 3.3 s | 1,000 | 1,000 | 4 | 312.5 | 2",
            "projection | behind | lag | retrying | parked", "git | 3 | 1 min 15 s | 1 | 1", "no open failures",
            "3 publishes were given up as expired in the last day: publish list --state expired", "1 publishes are past their deadline",
            "publish | crate | version | held by | deadline | last error", "0190 | foo | 1.0.0 | read-manifest | 2026-01-02 03:04:05 | away",
            "sparse: 2 claims open, 1 of them of dead processes, the oldest for 1 min 30 s", "lease git-writer: of the dead process p1, free at once",
            "process | serves | started | last seen", "p2 | all | 2026-01-02 03:04:05 | 4.0 s",
        ]);
    }

    [Fact]
    public async Task A_list_says_how_to_see_more()
    {
        using var session = Answering("""
            {"users":[{"id":1,"login":"[bold]","name":null,"email":"a@b","is_admin":true,"lock_reason":"spam","locked_until":null,"created_at":"2026-01-02T03:04:05Z"}],"next_cursor":"1"}
            """);
        (await session.RunAsync("user", "list")).ShouldBe(0);
        Lines(session).ShouldBe(["id | login | name | e-mail | admin | locked | since", "1 | [bold] | a@b | yes | without end: spam | 2026-01-02 03:04:05"]);
        session.Error.ShouldContain("--cursor 1");
    }

    [Theory]
    [InlineData("user list", """{"users":[],"next_cursor":null}""", "no users")]
    [InlineData("token list", """{"tokens":[],"next_cursor":null}""", "no tokens")]
    [InlineData("publish list", """{"publishes":[],"next_cursor":null}""", "no publishes")]
    [InlineData("failed list", """{"failures":[],"next_cursor":null}""", "no open failures")]
    public async Task An_empty_list_is_a_sentence(string line, string answer, string said)
    {
        using var session = Answering(answer);
        (await session.RunAsync(line.Split(' '))).ShouldBe(0);
        session.Output.ShouldBe($"{said}\n");
    }

    [Theory]
    [InlineData("token list", """{"tokens":[{"id":3,"user":"me","name":"ci","endpoint_scopes":["yank"],"crate_scopes":null,"created_at":"2026-01-02T03:04:05Z","expires_at":null,"revoked_at":null,"last_used_at":null}],"next_cursor":null}""", "yank")]
    [InlineData("publish list", """{"publishes":[{"id":"0190","crate":"foo","version":"1.0.0","state":"rejected","user":"me","size":5,"checksum":"ab","received_at":"2026-01-02T03:04:05Z","decided_at":"2026-01-02T03:04:06Z","verdict_code":"x","verdict_status":400,"verdict_text":"first line\nsecond"}],"next_cursor":null}""", "first line")]
    [InlineData("failed list", """{"failures":[{"id":1,"stage":"sweep","key":"k","kind":"fault","code":"c","text":"boom","trace_id":null,"first_seen":"2026-01-02T03:04:05Z","last_seen":"2026-01-02T03:04:05Z","count":2}],"next_cursor":null}""", "boom")]
    [InlineData("crate show foo", """{"crate":{"id":1,"name":"foo","state":"active","revision":2,"description":null,"default_version":"1.0.0","owners":["me"],"created_at":"2026-01-02T03:04:05Z","updated_at":"2026-01-02T03:04:05Z","deleted_at":null,"available_at":null,"versions":[{"num":"1.0.0","state":"active","freed":false,"yanked":true,"checksum":"ab","size":5,"published_at":"2026-01-02T03:04:05Z","published_by":"me","publish_id":"0190"}],"projections":[{"kind":"git","target":"","wanted":2,"reached":1,"reached_at":null,"behind_since":"2026-01-02T03:04:05Z","attempts":1,"last_error":"disk"}]}}""", "yanked")]
    public async Task Every_list_and_show_prints_its_rows(string line, string answer, string said)
    {
        using var session = Answering(answer);
        (await session.RunAsync(line.Split(' '))).ShouldBe(0);
        session.Output.ShouldContain(said);
        session.Output.ShouldNotContain("second");
    }

    private static TestSession Answering(string json) => new((_, _) => (HttpStatusCode.OK, json));

    /// <summary>The lines printed, rules and blank ones left out, the cells that hold something set apart by bars.</summary>
    private static IEnumerable<string> Lines(TestSession session) => session.Output.Split('\n')
        .Select(line => string.Join(" | ", line.Split("  ", StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)))
        .Where(line => line.Length > 0 && !line.StartsWith('─'));
}
