using Microsoft.Extensions.DependencyInjection;
using Pipeline.Registry.Bus;
using Pipeline.Registry.Failures;
using Pipeline.Registry.Telemetry;

namespace Pipeline.Api.Tests.Admin;

public class AdminStatusTests
{
    [Fact]
    public async Task What_waits_lags_and_failed_is_counted_with_its_age()
    {
        var (fixture, token) = await AdminFixture.CreateAsync();
        await using var api = fixture;
        await api.PublishAsync("ann", "foo", "1.0.0");
        await api.PublishAsync("ann", "bar", "1.0.0");
        await api.PublishAsync("ann", "bar", "1.1.0");
        await api.Temp.Database.WriteAsync(sql => sql.ExecuteAsync("UPDATE projections SET reached = wanted WHERE kind = 'sparse' AND crate_id = 1"));
        await api.Temp.Database.WriteAsync(sql => sql.ExecuteAsync(
            """
            INSERT INTO publishes (id, canonical, name, num, num_no_build, checksum, size, user_id, claims, staging_key, state, received_at, parked_at, deadline_at)
            VALUES ('1', 'x', 'x', '1.0.0', '1.0.0', 'ab', 5, 1, '{}', 'k', 'parked', now_us() - 30000000, now_us(), 0),
                ('2', 'x', 'x', '1.0.1', '1.0.1', 'ab', 5, 1, '{}', 'k', 'parked', now_us(), now_us(), 0)
            """));
        await api.Temp.Database.WriteAsync(sql => sql.ExecuteAsync(
            "INSERT INTO failures (stage, key, kind, code, text, first_seen, last_seen) VALUES ('sweep', 'a', 'fault', 'c', 't', 0, 0), ('sweep', 'b', 'fault', 'c', 't', 0, 0)"));
        api.Bells.Level = new QueueLevel(1, 7);

        var status = (await api.GetAsync("/api/v1/admin/status", token)).Json;
        var stages = status.GetProperty("stages").EnumerateArray().ToDictionary(stage => stage.GetProperty("stage").GetString()!);
        stages.Keys.ShouldBe(["validate-tarball", "read-manifest", "commit-index", "render-sparse", "purge-cdn", "record-crate", "update-search", "send-notices", "delete-bytes", "sweep"]);
        var tarball = stages["validate-tarball"];
        (tarball.GetProperty("waiting").GetInt64(), tarball.GetProperty("oldest_seconds").GetDouble(), tarball.GetProperty("depth").GetInt32(), tarball.GetProperty("capacity").GetInt32())
            .ShouldBe((2, 30, 1, 7));
        stages["read-manifest"].GetProperty("waiting").GetInt64().ShouldBe(0);
        status.GetProperty("projections").EnumerateArray().Select(one => (one.GetProperty("kind").GetString(), one.GetProperty("behind").GetInt64())).ShouldBe([("git", 2), ("record", 2), ("search", 2), ("sparse", 1)]);
        status.GetProperty("projections")[0].GetProperty("lag_seconds").GetDouble().ShouldBeGreaterThan(0);
        status.GetProperty("failures").GetArrayLength().ShouldBe(1);
        status.GetProperty("failures")[0].GetProperty("count").GetInt64().ShouldBe(2);
        var counts = status.GetProperty("counts");
        (counts.GetProperty("crates").GetInt64(), counts.GetProperty("versions").GetInt64(), counts.GetProperty("users").GetInt64(), counts.GetProperty("undecided").GetInt64())
            .ShouldBe((2, 3, 2, 2));
    }

    [Fact]
    public async Task What_is_worked_on_how_fast_and_what_is_parked_stands_beside_what_waits()
    {
        var (fixture, token) = await AdminFixture.CreateAsync();
        await using var api = fixture;
        await InsertPublishAsync(api, "1", "checked", "now_us() + 1", FailureLog.Parked);
        var activity = api.Services.GetRequiredService<StageActivity>();
        activity.Begin("read-manifest");
        activity.Begin("read-manifest");
        activity.End("read-manifest", 60);
        await api.Temp.ExecuteAsync("INSERT INTO processes (id, roles, started_at, seen_at) VALUES ('other', 'read-manifest', now_us() - 60000000, now_us() - 5000000)");
        await api.Temp.ExecuteAsync("INSERT INTO process_stages (process, stage, running, done_per_minute) VALUES ('other', 'read-manifest', 3, 90), ('dead', 'read-manifest', 7, 70)");

        var status = (await api.GetAsync("/api/v1/admin/status", token)).Json;

        var stage = status.GetProperty("stages").EnumerateArray().Single(one => one.GetProperty("stage").GetString() == "read-manifest");
        (stage.GetProperty("in_flight").GetInt64(), stage.GetProperty("per_second").GetDouble(), stage.GetProperty("parked").GetInt64()).ShouldBe((4, 2.5, 1));
        var process = status.GetProperty("processes").EnumerateArray().ShouldHaveSingleItem();
        (process.GetProperty("id").GetString(), process.GetProperty("roles").GetString(), process.GetProperty("seen_seconds").GetDouble()).ShouldBe(("other", "read-manifest", 5));
    }

    [Fact]
    public async Task A_publish_past_its_deadline_is_named_with_the_stage_that_holds_it()
    {
        var (fixture, token) = await AdminFixture.CreateAsync();
        await using var api = fixture;
        await InsertPublishAsync(api, "1", "parked", "now_us() - 1", null);
        await InsertPublishAsync(api, "2", "checked", "now_us() - 1", null);
        await InsertPublishAsync(api, "3", "checked", "now_us() + 60000000", null);
        await InsertPublishAsync(api, "4", "rejected", "now_us() - 1", null);
        await api.Temp.ExecuteAsync("UPDATE publishes SET waits_for = '1' WHERE id = '2'");
        await api.Temp.ExecuteAsync("UPDATE publishes SET decided_at = now_us(), verdict_code = 'expired' WHERE id = '4'");

        var overdue = (await api.GetAsync("/api/v1/admin/status", token)).Json.GetProperty("overdue");

        (overdue.GetProperty("count").GetInt64(), overdue.GetProperty("expired_last_day").GetInt64()).ShouldBe((2, 1));
        overdue.GetProperty("publishes").EnumerateArray().Select(one => $"{one.GetProperty("id")} {one.GetProperty("stage")} {one.GetProperty("waits_for")}").ShouldBe(["1 validate-tarball ", "2 read-manifest 1"]);
        foreach (var (state, ids) in new[] { ("overdue", "2 1"), ("expired", "4") })
        {
            string.Join(' ', (await api.GetAsync($"/api/v1/admin/publishes?state={state}", token)).Json.GetProperty("publishes").EnumerateArray().Select(one => one.GetProperty("id").GetString())).ShouldBe(ids);
        }
    }

    [Fact]
    public async Task Claims_and_leases_say_whether_their_holder_lives()
    {
        var (fixture, token) = await AdminFixture.CreateAsync();
        await using var api = fixture;
        await api.Temp.ExecuteAsync("INSERT INTO processes (id, roles, started_at, seen_at) VALUES ('alive', '', now_us(), now_us())");
        await api.Temp.ExecuteAsync("INSERT INTO claims (id, crate_id, kind, target, revision, process, claimed_at) VALUES ('a', 1, 'sparse', '', 1, 'dead', now_us() - 90000000), ('b', 1, 'sparse', '', 1, 'alive', now_us())");
        await api.Temp.ExecuteAsync("INSERT INTO leases (name, process, fence, until) VALUES ('git-writer', 'dead', 1, now_us() + 9000000), ('other', 'alive', 1, now_us() - 1000000)");

        var status = (await api.GetAsync("/api/v1/admin/status", token)).Json;

        var claims = status.GetProperty("claims").EnumerateArray().Single(one => one.GetProperty("kind").GetString() == "sparse");
        (claims.GetProperty("open").GetInt64(), claims.GetProperty("of_dead").GetInt64(), claims.GetProperty("oldest_seconds").GetDouble()).ShouldBe((2, 1, 90));
        status.GetProperty("leases").EnumerateArray().Select(one => $"{one.GetProperty("name")} {one.GetProperty("process")} {one.GetProperty("alive")} {one.GetProperty("seconds_left")}")
            .ShouldBe(["git-writer dead False 9", "other alive True -1"]);
    }

    private static ValueTask<int> InsertPublishAsync(ApiFixture api, string id, string state, string deadline, long? nextTry) => api.Temp.ExecuteAsync(
        $"""
        INSERT INTO publishes (id, canonical, name, num, num_no_build, checksum, size, user_id, claims, staging_key, state, received_at, parked_at, deadline_at, next_try_at)
        VALUES ($1, 'x', 'x', '1.0.0', '1.0.0', $1, 5, 1, '{"{}"}', 'k', $2, now_us(), now_us(), {deadline}, $3)
        """,
        id, state, nextTry);

    [Fact]
    public async Task What_a_cache_has_not_confirmed_shows_as_its_lag()
    {
        var (fixture, token) = await AdminFixture.CreateAsync();
        await using var api = fixture;
        await api.Temp.Database.WriteAsync(sql => sql.ExecuteAsync(
            """
            INSERT INTO purges (target, scope, value, cause, due_at, created_at, attempts, again, confirmed_at) VALUES
                ('edge', 'url', 'index/3/f/foo', 'changed', now_us() + 600000000, now_us() - 30000000, 2, FALSE, NULL),
                ('edge', 'url', 'index/3/b/bar', 'changed', now_us(), now_us(), 0, FALSE, NULL),
                ('edge', 'key', 'index:foo', 'changed', now_us(), now_us() - 90000000, 0, TRUE, NULL),
                ('other', 'url', 'index/3/f/foo', 'changed', now_us(), now_us() - 90000000, 0, FALSE, now_us())
            """));

        var status = (await api.GetAsync("/api/v1/admin/status", token)).Json;

        var edge = status.GetProperty("projections").EnumerateArray().Single(one => one.GetProperty("kind").GetString()!.StartsWith("cdn", StringComparison.Ordinal));
        (edge.GetProperty("kind").GetString(), edge.GetProperty("behind").GetInt64(), edge.GetProperty("lag_seconds").GetDouble(), edge.GetProperty("retrying").GetInt64()).ShouldBe(("cdn/edge", 2, 30, 1));
        var stage = status.GetProperty("stages").EnumerateArray().Single(one => one.GetProperty("stage").GetString() == "purge-cdn");
        (stage.GetProperty("waiting").GetInt64(), stage.GetProperty("oldest_seconds").GetDouble()).ShouldBe((2, 30));
    }
}
