using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Pipeline.Api.Admin.Shapes;
using Pipeline.Contracts;
using Pipeline.Registry.Database;
using Pipeline.Registry.Failures;
using Pipeline.Registry.Truth;

namespace Pipeline.Api.Admin;

/// <summary>What was published, by whom, and what became of it.</summary>
internal static class AdminPublishes
{
    private const string Columns =
        "p.id, p.name, p.num, p.state, u.login, p.size, p.checksum, p.received_at, p.decided_at, p.verdict_code, p.verdict_status, p.verdict_text";

    // A list says enough of why; the whole text is one publish's.
    private const string Listed =
        "p.id, p.name, p.num, p.state, u.login, p.size, p.checksum, p.received_at, p.decided_at, p.verdict_code, p.verdict_status, substr(p.verdict_text, 1, 201)";

    // Publish ids grow with time, so the order of the key is the order of arrival, and a page needs no sorting.
    private const string List =
        $"""
        SELECT {Listed} FROM publishes p JOIN users u ON u.id = p.user_id
        WHERE p.id < $1 AND p.received_at >= $2 AND ($3 = '' OR p.state = $3) AND ($4 = '' OR p.canonical = $4) ORDER BY p.id DESC LIMIT $5
        """;

    // The backlog has an index of its own, however many publishes were decided.
    private const string Undecided =
        $"""
        SELECT {Listed} FROM publishes p JOIN users u ON u.id = p.user_id
        WHERE p.decided_at IS NULL AND p.state IN ('parked', 'checked')
        AND p.id < $1 AND p.received_at >= $2 AND ($3 = '' OR p.state = $3) AND ($4 = '' OR p.canonical = $4) ORDER BY p.id DESC LIMIT $5
        """;

    private const string Overdue =
        $"""
        SELECT {Listed} FROM publishes p JOIN users u ON u.id = p.user_id
        WHERE p.decided_at IS NULL AND p.state IN ('parked', 'checked') AND p.deadline_at < now_us()
        AND p.id < $1 AND p.received_at >= $2 AND ($3 = '' OR p.state = $3) AND ($4 = '' OR p.canonical = $4) ORDER BY p.id DESC LIMIT $5
        """;

    private const string Expired =
        $"""
        SELECT {Listed} FROM publishes p JOIN users u ON u.id = p.user_id
        WHERE p.verdict_code = 'expired' AND p.id < $1 AND p.received_at >= $2 AND ($3 = '' OR p.state = $3) AND ($4 = '' OR p.canonical = $4) ORDER BY p.id DESC LIMIT $5
        """;

    public static void Map(IEndpointRouteBuilder routes)
    {
        AdminCall.Map(routes, HttpMethods.Get, "publishes", "Publishes, newest first, by `state`, `crate` and `since`", ListAsync);
        AdminCall.Map(routes, HttpMethods.Get, "publishes/{id}", "A publish with the time of each stage", ShowAsync);
    }

    private static async ValueTask<IResult> ListAsync(AdminCall call)
    {
        var limit = call.Limit();
        var state = call.Query("state");
        var text = state switch
        {
            null or PublishStates.Accepted or PublishStates.Rejected => List,
            PublishStates.Parked or PublishStates.Checked or "undecided" => Undecided,
            "overdue" => Overdue,
            "expired" => Expired,
            _ => throw new BadHttpRequestException("`state` is parked, checked, accepted, rejected, undecided, overdue or expired"),
        };
        var publishes = await call.Database.ReadAsync(
            sql => sql.QueryAsync(
                text,
                static row => Read(row, Quoted.Value),
                // Above every id, which are hexadecimal.
                call.Query("cursor") ?? "g",
                call.Time("since") ?? 0,
                state is null or "undecided" or "overdue" or "expired" ? "" : state,
                call.Query("crate") is { } crate ? CanonicalName.Of(crate).Text : "",
                (long)limit),
            call.Aborted).ConfigureAwait(false);
        return AdminCall.Answer(new PublishesAnswer(publishes, publishes.Count < limit ? null : publishes[^1].Id), AdminJson.Default.PublishesAnswer);
    }

    private static async ValueTask<IResult> ShowAsync(AdminCall call)
    {
        var id = call.Route("id");
        var answer = await call.Database.ReadAsync(sql => FindAsync(sql, id), call.Aborted).ConfigureAwait(false);
        return answer is null
            ? AdminCall.Refuse(new Reject(RejectCodes.NotFound, StatusCodes.Status404NotFound, $"publish `{id}` does not exist"))
            : AdminCall.Answer(answer, AdminJson.Default.PublishAnswer);
    }

    private static async ValueTask<PublishAnswer?> FindAsync(Statements sql, string id)
    {
        if (await PublishTimeline.FindAsync(sql, id).ConfigureAwait(false) is not { } timeline) return null;
        var publish = await sql.FirstAsync($"SELECT {Columns} FROM publishes p JOIN users u ON u.id = p.user_id WHERE p.id = $1", static row => Read(row, Quoted.Text), id).ConfigureAwait(false);
        var waitsFor = await sql.TextAsync("SELECT waits_for FROM publishes WHERE id = $1", id).ConfigureAwait(false);
        // A parked row's next try never comes by itself.
        var nextTry = timeline.NextTryAt < FailureLog.Parked ? timeline.NextTryAt : null;
        var trace = timeline.TraceParent?.Split('-') is [_, var id32, ..] ? id32 : null;
        var overdue = timeline.DecidedAt is null && timeline.DeadlineAt < await sql.NowAsync().ConfigureAwait(false);
        return new PublishAnswer(
            publish!, timeline.Attempts, timeline.LastError is { } error ? Quoted.Text(error) : null, Cells.Time(nextTry), waitsFor, Cells.Time(timeline.DeadlineAt), timeline.TraceParent, trace, overdue, timeline.HeldBy,
            Stages(timeline, await PublishDetails.ReadAsync(sql, timeline).ConfigureAwait(false)));
    }

    private static List<StageShape> Stages(PublishTimeline timeline, PublishDetails details)
    {
        var stages = new List<StageShape>();
        var before = timeline.ReceivedAt;
        foreach (var stage in timeline.Stages)
        {
            // Both indexes follow the verdict side by side: for them, all the time is their own.
            stages.Add(Stage(
                stage, stage.StartedAt is { } start && start >= before ? (start - before) / 1000.0 : null, [.. details.Failures.Where(failure => failure.Stage == stage.Stage)]));
            if (stage.EndedAt <= (timeline.DecidedAt ?? long.MaxValue)) before = stage.EndedAt.Value;
        }

        var sparse = timeline.EndOf("render-sparse");
        foreach (var cache in details.Caches)
        {
            List<FailureRow> failures = [.. details.Failures.Where(failure => failure.Stage == "purge-cdn" && failure.Key == cache.Target)];
            var told = new StageTimes($"purge-cdn/{cache.Target}", cache.ConfirmedAt is null ? "waiting" : "done", sparse, cache.ConfirmedAt);
            stages.Add(Stage(told, null, failures) with { Attempts = cache.Attempts + (cache.ConfirmedAt is null ? 0 : 1) });
        }

        return stages;
    }

    private static StageShape Stage(StageTimes stage, double? waited, List<FailureRow> failures) => new(
        stage.Stage,
        stage.State,
        waited,
        stage is { StartedAt: { } from, EndedAt: { } to } ? (to - from) / 1000.0 : null,
        Cells.Time(stage.EndedAt),
        failures.Sum(static failure => failure.Count) + (stage.State == "done" ? 1 : 0),
        failures.ConvertAll(static failure => new StageFailure(failure.Id, failure.State, failure.Code, Quoted.Value(failure.Text), failure.TraceId, failure.Count, Cells.Time(failure.LastSeen))));

    private static PublishShape Read(Row row, Func<string, string> cut) => new(
        row.Text(0), row.Text(1), row.Text(2), row.Text(3), row.Text(4), row.Long(5), row.Text(6),
        Cells.Time(row.Long(7)), Cells.Time(row.LongOrNull(8)), row.TextOrNull(9), row.LongOrNull(10), row.TextOrNull(11) is { } text ? cut(text) : null);
}
