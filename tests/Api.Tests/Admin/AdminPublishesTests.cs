using Pipeline.Registry.Database;

namespace Pipeline.Api.Tests.Admin;

public class AdminPublishesTests
{
    private const string Publishes = "/api/v1/admin/publishes";

    [Fact]
    public async Task Publishes_are_listed_newest_first_by_state_crate_and_time()
    {
        var (fixture, token) = await AdminFixture.CreateAsync();
        await using var api = fixture;
        await InsertAsync(api, "0190-a", "Foo-Bar", "accepted", 1000);
        await InsertAsync(api, "0190-b", "baz", "rejected", 2000);
        await InsertAsync(api, "0190-c", "foo-bar", "parked", 3000);
        await InsertAsync(api, "0190-d", "baz", "checked", 4000);

        (await IdsAsync(api, "", token)).ShouldBe(["0190-d", "0190-c", "0190-b", "0190-a"]);
        (await IdsAsync(api, "?state=rejected", token)).ShouldBe(["0190-b"]);
        (await IdsAsync(api, "?state=parked", token)).ShouldBe(["0190-c"]);
        (await IdsAsync(api, "?state=undecided", token)).ShouldBe(["0190-d", "0190-c"]);
        (await IdsAsync(api, "?crate=FOO_BAR", token)).ShouldBe(["0190-c", "0190-a"]);
        (await IdsAsync(api, "?crate=baz&state=undecided", token)).ShouldBe(["0190-d"]);
        (await IdsAsync(api, "?since=1970-01-01T00%3A00%3A03Z", token)).ShouldBe(["0190-d", "0190-c"]);

        var page = (await api.GetAsync($"{Publishes}?limit=2", token)).Json;
        page.GetProperty("next_cursor").GetString().ShouldBe("0190-c");
        (await IdsAsync(api, "?limit=3&cursor=0190-c", token)).ShouldBe(["0190-b", "0190-a"]);
    }

    [Fact]
    public async Task A_publish_is_shown_with_its_verdict_and_the_time_of_each_stage()
    {
        var (fixture, token) = await AdminFixture.CreateAsync();
        await using var api = fixture;
        await InsertAsync(api, "0190-a", "foo", "rejected", 1000);
        await api.Temp.Database.WriteAsync(sql => sql.ExecuteAsync(
            """
            UPDATE publishes SET parked_at = 1002000, tarball_started_at = 1003000, tarball_done_at = 1010000, manifest_started_at = 1012000, decided_at = 1015000,
                verdict_code = 'invalid-name', verdict_status = 400, verdict_text = 'no'
            """));
        var answer = (await api.GetAsync($"{Publishes}/0190-a", token)).Json;
        var publish = answer.GetProperty("publish");
        publish.GetProperty("user").GetString().ShouldBe("ann");
        publish.GetProperty("verdict_text").GetString().ShouldBe("no");
        answer.GetProperty("stages").EnumerateArray()
            .Select(stage => $"{stage.GetProperty("stage")} {stage.GetProperty("state")} {stage.GetProperty("waited_ms")} {stage.GetProperty("took_ms")}")
            .ShouldBe(["intake done 0 2", "validate-tarball done 1 7", "read-manifest done 2 3", "commit-index skipped  ", "render-sparse skipped  "]);
    }

    [Fact]
    public async Task A_publish_that_waits_says_for_what()
    {
        var (fixture, token) = await AdminFixture.CreateAsync();
        await using var api = fixture;
        await InsertAsync(api, "0190-a", "foo", "checked", 1000);
        await api.Temp.Database.WriteAsync(sql => sql.ExecuteAsync(
            "UPDATE publishes SET waits_for = '0190-9', attempts = 2, last_error = 'disk full', next_try_at = 5000000"));
        var answer = (await api.GetAsync($"{Publishes}/0190-a", token)).Json;
        answer.GetProperty("waits_for").GetString().ShouldBe("0190-9");
        answer.GetProperty("last_error").GetString().ShouldBe("disk full");
        answer.GetProperty("next_try_at").GetString().ShouldBe("1970-01-01T00:00:05Z");

        await api.Temp.Database.WriteAsync(sql => sql.ExecuteAsync("UPDATE publishes SET next_try_at = $1", long.MaxValue / 4));
        (await api.GetAsync($"{Publishes}/0190-a", token)).Json.GetProperty("next_try_at").GetString().ShouldBeNull();
    }

    [Fact]
    public async Task An_accepted_publish_is_shown_with_when_each_index_and_cache_showed_it_and_what_failed_on_the_way()
    {
        var (fixture, token) = await AdminFixture.CreateAsync();
        await using var api = fixture;
        await api.PublishAsync("ann", "foo", "1.0.0");
        await InsertAsync(api, "0190-a", "foo", "accepted", 1000);
        await api.Temp.ExecuteAsync(
            """
            UPDATE publishes SET crate_id = 1, revision = 1, tarball_started_at = 1003000, tarball_done_at = 1010000, manifest_started_at = 1012000, decided_at = 1015000,
                trace_parent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
            """);
        // A later revision came and was shown: this one's times stay its own.
        await api.Temp.ExecuteAsync("UPDATE changes SET git_at = 1040000, sparse_at = 1020000 WHERE crate_id = 1");
        await api.Temp.ExecuteAsync("UPDATE projections SET wanted = 2, reached = 2, reached_at = 9000000");
        await api.Temp.ExecuteAsync(
            """
            INSERT INTO purges (target, scope, value, cause, crate_id, due_at, created_at, attempts, again, confirmed_at) VALUES
                ('edge', 'url', 'index/3/f/foo', 'first', 1, 1020000, 1020000, 2, FALSE, 1035000),
                ('edge', 'url', 'index/3/f/foo', 'changed', 1, 8000000, 8000000, 0, FALSE, 8100000),
                ('far', 'url', 'index/3/f/foo', 'first', 1, 1020000, 1020000, 0, FALSE, NULL)
            """);
        await api.Temp.ExecuteAsync(
            """
            INSERT INTO failures (stage, key, kind, code, text, trace_id, first_seen, last_seen, count, resolved_at) VALUES
                ('read-manifest', '0190-a', 'transient', 'store-away', 'away', 't1', 1011000, 1011000, 2, 1015000),
                ('render-sparse', '1', 'fault', 'Broken', 'no', 't2', 1016000, 1017000, 1, 1020000),
                ('render-sparse', '1', 'fault', 'Later', 'no', 't3', 7000000, 7000000, 1, 8000000)
            """);

        var answer = (await api.GetAsync($"{Publishes}/0190-a", token)).Json;

        answer.GetProperty("trace_id").GetString().ShouldBe("0af7651916cd43dd8448eb211c80319c");
        answer.GetProperty("stages").EnumerateArray()
            .Select(stage => $"{stage.GetProperty("stage")} {stage.GetProperty("state")} {stage.GetProperty("took_ms")} {stage.GetProperty("attempts")} "
                + string.Join(',', stage.GetProperty("failures").EnumerateArray().Select(failure => $"{failure.GetProperty("code")}/{failure.GetProperty("trace_id")}/{failure.GetProperty("state")}")))
            .ShouldBe(
            [
                "intake done 0 1 ", "validate-tarball done 7 1 ", "read-manifest done 3 3 store-away/t1/resolved", "commit-index done 25 1 ",
                "render-sparse done 5 2 Broken/t2/resolved", "purge-cdn/edge done 15 3 ", "purge-cdn/far waiting  0 ",
            ]);
    }

    [Theory]
    [InlineData("checked", "NULL", "NULL", true, "read-manifest")]
    [InlineData("parked", "NULL", "NULL", true, "validate-tarball")]
    [InlineData("rejected", "'expired'", "5", false, "read-manifest")]
    [InlineData("rejected", "'invalid-name'", "5", false, null)]
    public async Task A_publish_past_its_deadline_says_which_stage_held_it(string state, string code, string decided, bool overdue, string? heldBy)
    {
        var (fixture, token) = await AdminFixture.CreateAsync();
        await using var api = fixture;
        await InsertAsync(api, "0190-a", "foo", state, 1000);
        await api.Temp.ExecuteAsync($"UPDATE publishes SET verdict_code = {code}, verdict_status = 408, verdict_text = 'x', decided_at = {decided}, tarball_done_at = {(state == "parked" ? "NULL" : "4")}");

        var answer = (await api.GetAsync($"{Publishes}/0190-a", token)).Json;

        (answer.GetProperty("overdue").GetBoolean(), answer.GetProperty("held_by").GetString()).ShouldBe((overdue, heldBy));
    }

    [Fact]
    public async Task One_that_is_not_there_is_a_404()
    {
        var (fixture, token) = await AdminFixture.CreateAsync();
        await using var api = fixture;
        (await api.GetAsync($"{Publishes}/0190-x", token)).ShouldFail(404, "publish `0190-x` does not exist");
    }

    private static async Task<List<string?>> IdsAsync(ApiFixture api, string query, string token) =>
        [.. (await api.GetAsync(Publishes + query, token)).Json.GetProperty("publishes").EnumerateArray().Select(publish => publish.GetProperty("id").GetString())];

    private static async Task InsertAsync(ApiFixture api, string id, string name, string state, long receivedMs)
    {
        var user = await api.UserAsync("ann");
        await api.Temp.Database.WriteAsync(sql => sql.ExecuteAsync(
            """
            INSERT INTO publishes (id, canonical, name, num, num_no_build, checksum, size, user_id, claims, staging_key, state, received_at, parked_at, decided_at, deadline_at)
            VALUES ($1, $2, $3, '1.0.0', '1.0.0', 'ab', 5, $4, '{}', 'k', $5, $6, $6, $7, 0)
            """,
            id,
            Contracts.CanonicalName.Of(name).Text,
            name,
            user.Id,
            state,
            receivedMs * Microseconds.Second / 1000,
            state is "accepted" or "rejected" ? receivedMs * Microseconds.Second / 1000 : null));
    }
}
