using Microsoft.Extensions.DependencyInjection;
using Pipeline.Contracts.Index;
using Pipeline.Contracts.Publishing;
using Pipeline.Contracts.Upkeep;
using Pipeline.Registry.Bus;
using Pipeline.Registry.Failures;
using Pipeline.Registry.Tests;

namespace Pipeline.Api.Tests.Admin;

public class AdminFailuresTests
{
    private const string Failures = "/api/v1/admin/failures";

    [Fact]
    public async Task Open_failures_are_listed_newest_first_and_chosen_by_what_they_are()
    {
        await using var api = await StartAsync();
        await InsertAsync(api, "'sweep', 'a', 'fault', 'c', 'first', 0, 1000000");
        await InsertAsync(api, "'sweep', 'b', 'transient', 'd', 'second', 0, 2000000");
        await InsertAsync(api, "'other', 'b', 'fault', 'c', 'third', 0, 3000000");
        await InsertAsync(api, "'other', 'c', 'fault', 'c', 'over', 0, 4000000");
        await api.Temp.ExecuteAsync("UPDATE failures SET resolved_at = 5 WHERE text = 'over'");

        (await TextsAsync(api, "")).ShouldBe(["third", "second", "first"]);
        (await TextsAsync(api, "?stage=sweep")).ShouldBe(["second", "first"]);
        (await TextsAsync(api, "?code=c")).ShouldBe(["third", "first"]);
        (await TextsAsync(api, "?kind=transient")).ShouldBe(["second"]);
        (await TextsAsync(api, "?key=b")).ShouldBe(["third", "second"]);
        (await TextsAsync(api, "?since=1970-01-01T00:00:02Z")).ShouldBe(["third", "second"]);
        (await TextsAsync(api, "?until=1970-01-01T00:00:02Z")).ShouldBe(["first"]);
        (await TextsAsync(api, "?since=1970-01-01T00:00:02Z&until=1970-01-01T00:00:03Z")).ShouldBe(["second"]);
        (await TextsAsync(api, "?limit=1&cursor=3")).ShouldBe(["second"]);
        (await TextsAsync(api, "?state=resolved")).ShouldBe(["over"]);
        (await api.GetAsync($"{Failures}?kind=odd", api.Token)).ShouldFail(400, "`kind` is reject, transient or fault");
        (await api.GetAsync($"{Failures}?state=odd", api.Token)).ShouldFail(400, "`state` is open or resolved");
    }

    [Theory]
    [InlineData("next_try_at = NULL", "retrying")]
    [InlineData("next_try_at = 99", "retrying")]
    [InlineData("next_try_at = 2305843009213693951", "parked")]
    [InlineData("next_try_at = NULL, replayed_at = last_seen", "replayed")]
    [InlineData("next_try_at = 2305843009213693951, replayed_at = last_seen - 1", "parked")]
    [InlineData("code = 'unreadable-message'", "unreadable")]
    [InlineData("resolved_at = 1", "resolved")]
    public async Task A_failure_says_how_it_stands(string change, string state)
    {
        await using var api = await StartAsync();
        await InsertAsync(api, "'validate-tarball', 'a', 'fault', 'c', 'text', 0, 1000000");
        await api.Temp.ExecuteAsync($"UPDATE failures SET {change}");

        (await api.GetAsync($"{Failures}/1", api.Token)).Json.GetProperty("failure").GetProperty("state").GetString().ShouldBe(state);
    }

    [Fact]
    public async Task A_failure_that_is_not_there_is_a_404()
    {
        await using var api = await StartAsync();

        (await api.GetAsync($"{Failures}/7", api.Token)).ShouldFail(404, "failure `7` does not exist");
        (await api.GetAsync($"{Failures}/x", api.Token)).ShouldFail(404, "failure `x` does not exist");
    }

    [Fact]
    public async Task A_replay_makes_the_row_due_again_and_rings_the_sweep_once()
    {
        await using var api = await StartAsync();
        await ParkAsync(api, "a");
        await ParkAsync(api, "b");
        await InsertAsync(api, "'validate-tarball', 'a', 'fault', 'c', 't', 0, 0");
        await InsertAsync(api, "'validate-tarball', 'b', 'fault', 'c', 't', 0, 0");

        (await ReplayAsync(api, 1, 2)).ShouldBe(["1 reset", "2 reset"]);

        (await api.Temp.LongAsync("SELECT COUNT(*) FROM publishes WHERE next_try_at IS NULL AND rung_at IS NULL AND attempts = 0")).ShouldBe(2);
        api.Bells.Take().ShouldBe([new Sweep()]);
        (await api.Temp.LongAsync("SELECT COUNT(*) FROM failures WHERE resolved_at IS NULL AND replayed_at IS NOT NULL AND next_try_at IS NULL")).ShouldBe(2);
        (await api.Temp.TextAsync("SELECT detail FROM audit WHERE action = 'replay' ORDER BY id")).ShouldBe("failure 1 of validate-tarball a: reset");
    }

    [Fact]
    public async Task Replaying_twice_leaves_everything_as_replaying_once()
    {
        await using var api = await StartAsync();
        await ParkAsync(api, "a");
        await InsertAsync(api, "'validate-tarball', 'a', 'fault', 'c', 't', 0, 0");

        (await ReplayAsync(api, 1, 1)).ShouldBe(["1 reset", "1 reset"]);
        (await ReplayAsync(api, 1)).ShouldBe(["1 reset"]);

        (await api.Temp.LongAsync("SELECT COUNT(*) FROM publishes WHERE next_try_at IS NULL AND state = 'parked'")).ShouldBe(1);
        (await api.Temp.LongAsync("SELECT COUNT(*) FROM failures")).ShouldBe(1);
    }

    [Fact]
    public async Task A_failure_whose_row_waits_no_more_is_over()
    {
        await using var api = await StartAsync();
        await ParkAsync(api, "a");
        await api.Temp.ExecuteAsync("UPDATE publishes SET state = 'rejected', decided_at = 1, next_try_at = NULL");
        await InsertAsync(api, "'validate-tarball', 'a', 'fault', 'c', 't', 0, 0");

        (await ReplayAsync(api, 1, 1, 77)).ShouldBe(["1 over", "1 gone", "77 gone"]);

        api.Bells.Take().ShouldBeEmpty();
        (await api.Temp.LongAsync("SELECT COUNT(*) FROM failures WHERE resolved_at IS NULL")).ShouldBe(0);
    }

    [Fact]
    public async Task What_has_no_row_is_rung_or_said_to_be_beyond_replay()
    {
        await using var api = await StartAsync();
        await InsertAsync(api, "'commit-index', 'git', 'fault', 'c', 't', 0, 0");
        await InsertAsync(api, "'validate-tarball', 'message:1', 'fault', 'unreadable-message', 't', 0, 0");
        await InsertAsync(api, "'of-tomorrow', 'x', 'fault', 'c', 't', 0, 0");
        await InsertAsync(api, "'publish-decided', 'x', 'fault', 'c', 't', 0, 0");

        (await PlansAsync(api)).ShouldBe(["over", "unknown", "dropped", "rung"]);
        (await ReplayAsync(api, 1, 2, 3, 4)).ShouldBe(["1 rung", "2 dropped", "3 unknown", "4 over"]);

        // Nothing was sent again for the message: the sweep rings the row that it may have stood for.
        api.Bells.Take().ShouldBe([new CommitIndex(), new Sweep()]);
        (await TextsAsync(api, "")).Count.ShouldBe(2);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"ids":[]}""")]
    public async Task A_replay_of_nothing_is_refused(string body)
    {
        await using var api = await StartAsync();

        (await api.SendAsync("POST", $"{Failures}/replay", api.Token, body)).ShouldFail(400, "`ids` is a list of 1 to 1000 numbers");
        (await api.SendAsync("POST", $"{Failures}/replay", await api.TokenAsync("ann"), body)).Status.ShouldBe(403);
    }

    private static async Task<FailuresApi> StartAsync()
    {
        var api = await ApiFixture.CreateAsync(change: static services =>
        {
            const string reset = "UPDATE publishes SET attempts = 0, next_try_at = NULL, rung_at = NULL WHERE id = $1 AND state = 'parked'";
            services.AddSingleton(new Stage("validate-tarball", typeof(ValidateTarball), static _ => "", null, StageReplay.OfRows(reset)));
            services.AddSingleton(new Stage("commit-index", typeof(CommitIndex), static _ => "git", null, StageReplay.OfBell("git", new CommitIndex())));
            services.AddSingleton(new Stage("publish-decided", typeof(PublishDecided), static _ => "", null));
        });
        await api.UserAsync("root", isAdmin: true);
        return new FailuresApi(api, await api.TokenAsync("root"));
    }

    private static ValueTask<int> InsertAsync(FailuresApi api, string values) =>
        api.Temp.ExecuteAsync($"INSERT INTO failures (stage, key, kind, code, text, first_seen, last_seen) VALUES ({values})");

    private static ValueTask<int> ParkAsync(FailuresApi api, string id) => api.Temp.ExecuteAsync(
        """
        INSERT INTO publishes (id, canonical, name, num, num_no_build, checksum, size, user_id, claims, staging_key, state, received_at, parked_at, deadline_at, attempts, next_try_at, rung_at)
        VALUES ($1, $1, $1, '1.0.0', '1.0.0', 'ab', 5, 1, '{}', 'k', 'parked', 0, 0, 0, 3, $2, 5)
        """,
        id, FailureLog.Parked);

    private static async Task<List<string>> ReplayAsync(FailuresApi api, params long[] ids) =>
        [.. (await api.SendAsync("POST", $"{Failures}/replay", api.Token, new { ids })).Json.GetProperty("results").EnumerateArray().Select(one => $"{one.GetProperty("id")} {one.GetProperty("outcome").GetString()}")];

    private static async Task<List<string?>> TextsAsync(FailuresApi api, string query) => await ValuesAsync(api, query, "text");

    private static async Task<List<string?>> PlansAsync(FailuresApi api) => await ValuesAsync(api, "", "replay");

    private static async Task<List<string?>> ValuesAsync(FailuresApi api, string query, string member) =>
        [.. (await api.GetAsync(Failures + query, api.Token)).Json.GetProperty("failures").EnumerateArray().Select(failure => failure.GetProperty(member).GetString())];

    private sealed class FailuresApi(ApiFixture api, string token) : IAsyncDisposable
    {
        public string Token => token;

        public TempDatabase Temp => api.Temp;

        public RecordingDoorbell Bells => api.Bells;

        public Task<Answer> GetAsync(string path, string by) => api.GetAsync(path, by);

        public Task<Answer> SendAsync(string method, string path, string by, object body) => api.SendAsync(method, path, by, body);

        public Task<string> TokenAsync(string login) => api.TokenAsync(login);

        public ValueTask DisposeAsync() => api.DisposeAsync();
    }
}
