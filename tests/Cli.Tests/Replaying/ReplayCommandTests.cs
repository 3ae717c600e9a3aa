using System.Net;
using System.Text.Json;
using Pipeline.Cli.Replaying;

namespace Pipeline.Cli.Tests.Replaying;

public class ReplayCommandTests
{
    [Fact]
    public async Task A_dry_run_shows_what_would_be_done_and_sends_nothing()
    {
        using var session = new TestSession((request, _) => (HttpStatusCode.OK, Page(request, 3)));

        (await session.RunAsync("failed", "replay", "--stage", "read-manifest", "--dry-run")).ShouldBe(ExitCodes.Succeeded);

        session.Requests.ShouldHaveSingleItem().Line.ShouldBe("GET /api/v1/admin/failures?stage=read-manifest&limit=1000");
        session.Output.ShouldContain("its row becomes due again");
        session.Output.ShouldEndWith("3 would be replayed; nothing was done\n");
    }

    [Fact]
    public async Task All_are_replayed_oldest_first_in_small_requests_and_counted_by_outcome()
    {
        using var session = new TestSession((request, body) => (HttpStatusCode.OK, request.Method == HttpMethod.Get ? Page(request, 250) : Outcomes(body, id => id == 7 ? "over" : "reset")));

        (await session.RunAsync("failed", "replay", "--all")).ShouldBe(ExitCodes.Succeeded);

        var sent = session.Requests.Where(request => request.Line == "POST /api/v1/admin/failures/replay").Select(request => Ids(request.Body)).ToList();
        sent.Select(ids => ids.Count).ShouldBe([100, 100, 50]);
        sent.SelectMany(ids => ids).ShouldBe(Enumerable.Range(1, 250).Select(id => (long)id));
        session.Output.ShouldBe("249 due again, 1 already over\n");
    }

    [Fact]
    public async Task Every_page_is_taken_before_anything_is_replayed()
    {
        using var session = new TestSession((request, body) => (HttpStatusCode.OK, request.Method == HttpMethod.Get ? Page(request, 1500) : Outcomes(body, _ => "reset")));

        (await session.RunAsync("failed", "replay", "--all", "--json")).ShouldBe(ExitCodes.Succeeded);

        session.Requests.Take(3).Select(request => request.Line).ShouldBe(
            ["GET /api/v1/admin/failures?limit=1000", "GET /api/v1/admin/failures?limit=1000&cursor=501", "POST /api/v1/admin/failures/replay"]);
        JsonDocument.Parse(session.Output).RootElement.GetProperty("results").GetArrayLength().ShouldBe(1500);
    }

    [Fact]
    public async Task One_that_the_server_cannot_replay_makes_the_command_fail()
    {
        using var session = new TestSession((request, body) => (HttpStatusCode.OK, request.Method == HttpMethod.Get ? $$"""{"failure":{{Failure(7)}}}""" : Outcomes(body, _ => "unknown")));

        (await session.RunAsync("failed", "replay", "--id", "7")).ShouldBe(ExitCodes.Failed);

        session.Output.ShouldBe("1 of a stage that the server does not know\n");
    }

    [Fact]
    public async Task A_server_that_goes_away_half_way_leaves_a_sentence_with_how_far_it_came()
    {
        var requests = 0;
        using var session = new TestSession((request, body) => request.Method == HttpMethod.Get ? (HttpStatusCode.OK, Page(request, 150))
            : ++requests == 1 ? (HttpStatusCode.OK, Outcomes(body, _ => "reset"))
            : throw new HttpRequestException(HttpRequestError.ConnectionError, "refused"));

        (await session.RunAsync("failed", "replay", "--all")).ShouldBe(ExitCodes.Failed);

        session.Error.ShouldStartWith("100 of 150 were replayed for certain; the same command goes on with the rest\n");
    }

    [Theory]
    [InlineData(null, 100)]
    [InlineData(1000.0, 100)]
    [InlineData(40.0, 10)]
    [InlineData(2.0, 1)]
    public void A_rate_is_kept_by_requests_that_are_small_enough(double? rate, int atOnce) => ReplayRate.AtOnce(rate).ShouldBe(atOnce);

    [Theory]
    [InlineData(null, 100, 0, 0)]
    [InlineData(10.0, 5, 0.1, 0.4)]
    [InlineData(10.0, 5, 0.6, 0)]
    public void After_each_request_the_rate_says_how_long_to_wait(double? rate, int done, double since, double wait) =>
        ReplayRate.Wait(rate, done, TimeSpan.FromSeconds(since)).TotalSeconds.ShouldBe(wait, 0.001);

    // As the server lists them: newest first, behind the cursor.
    private static string Page(HttpRequestMessage request, int total)
    {
        var query = request.RequestUri!.Query;
        var last = query.IndexOf("cursor=", StringComparison.Ordinal) is >= 0 and var at ? int.Parse(query[(at + 7)..], System.Globalization.CultureInfo.InvariantCulture) - 1 : total;
        var first = Math.Max(1, last - 999);
        var rows = Enumerable.Range(first, last - first + 1).Reverse().Select(id => Failure(id));
        return $$"""{"failures":[{{string.Join(',', rows)}}],"next_cursor":{{(first == 1 ? "null" : $"\"{first}\"")}}}""";
    }

    private static string Failure(int id) =>
        $$"""
        {"id":{{id}},"stage":"read-manifest","key":"0190","kind":"fault","code":"c","text":"boom","trace_id":null,"first_seen":"2026-01-02T03:04:05Z","last_seen":"2026-01-02T03:04:05Z",
        "count":2,"state":"parked","next_try_at":null,"replayed_at":null,"resolved_at":null,"replay":"reset"}
        """;

    private static string Outcomes(string body, Func<long, string> outcome) =>
        $$"""{"results":[{{string.Join(',', Ids(body).Select(id => $$"""{"id":{{id}},"outcome":"{{outcome(id)}}"}"""))}}]}""";

    private static List<long> Ids(string body) => [.. JsonDocument.Parse(body).RootElement.GetProperty("ids").EnumerateArray().Select(id => id.GetInt64())];
}
