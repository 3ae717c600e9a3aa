using Pipeline.Registry.Bus;

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
        stages.Keys.ShouldBe(["validate-tarball", "read-manifest", "commit-index", "render-sparse", "purge-cdn", "record-crate", "update-search", "send-notices", "delete-bytes"]);
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
