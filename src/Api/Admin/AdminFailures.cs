using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Pipeline.Api.Admin.Shapes;
using Pipeline.Contracts;
using Pipeline.Registry.Failures;

namespace Pipeline.Api.Admin;

/// <summary>What failed, in every stage and both shapes: listed, shown and replayed.</summary>
internal static class AdminFailures
{
    private const int MostReplayed = 1000;

    public static void Map(IEndpointRouteBuilder routes)
    {
        AdminCall.Map(
            routes, HttpMethods.Get, "failures", "Open failures, newest first, by `stage`, `code`, `kind`, `key`, `since` and `until`; with `state=resolved` those that are over", ListAsync);
        AdminCall.Map(routes, HttpMethods.Get, "failures/{id}", "A failure, and what its replay would do", ShowAsync);
        AdminCall.Map(routes, HttpMethods.Post, "failures/replay", "Replays failures by `ids`: each row is due again, and the sweep rings it", ReplayAsync);
    }

    private static async ValueTask<IResult> ListAsync(AdminCall call)
    {
        var query = new FailureQuery
        {
            Stage = call.Query("stage"),
            Code = call.Query("code"),
            Kind = call.Query("kind"),
            Key = call.Query("key"),
            Since = call.Time("since"),
            Until = call.Time("until"),
            Resolved = call.Query("state") switch
            {
                null or "open" => false,
                "resolved" => true,
                _ => throw new BadHttpRequestException("`state` is open or resolved"),
            },
            Before = call.Number("cursor") ?? long.MaxValue,
            Limit = call.Limit(),
        };
        if (query.Kind is not (null or "reject" or "transient" or "fault")) throw new BadHttpRequestException("`kind` is reject, transient or fault");
        var (rows, replay) = (await call.Database.ReadAsync(sql => FailureRow.ListAsync(sql, query), call.Aborted).ConfigureAwait(false), call.Service<Replay>());
        // Of a text a list says the beginning; the whole is one failure's.
        var failures = rows.ConvertAll(row => Shape(row with { Text = Quoted.Value(row.Text) }, replay));
        return AdminCall.Answer(new FailuresAnswer(failures, Cells.Cursor(failures, query.Limit, static failure => failure.Id)), AdminJson.Default.FailuresAnswer);
    }

    private static async ValueTask<IResult> ShowAsync(AdminCall call)
    {
        var failure = long.TryParse(call.Route("id"), out var id) ? await call.Database.ReadAsync(sql => FailureRow.FindAsync(sql, id), call.Aborted).ConfigureAwait(false) : null;
        return failure is null
            ? AdminCall.Refuse(new Reject(RejectCodes.NotFound, StatusCodes.Status404NotFound, $"failure `{call.Route("id")}` does not exist"))
            : AdminCall.Answer(new FailureAnswer(Shape(failure, call.Service<Replay>())), AdminJson.Default.FailureAnswer);
    }

    private static async ValueTask<IResult> ReplayAsync(AdminCall call)
    {
        var (request, reject) = await call.BodyAsync(AdminJson.Default.ReplayRequest, "`ids`, a list of numbers").ConfigureAwait(false);
        if (reject is not null) return AdminCall.Refuse(reject);
        if (request!.Ids is not { Count: > 0 and <= MostReplayed } ids) throw new BadHttpRequestException($"`ids` is a list of 1 to {MostReplayed} numbers");
        var results = await call.Service<Replay>().RunAsync(ids, call.Actor, call.Aborted).ConfigureAwait(false);
        return AdminCall.Answer(new ReplayAnswer([.. results.Select(static result => new ReplayShape(result.Id, result.Outcome))]), AdminJson.Default.ReplayAnswer);
    }

    private static FailureShape Shape(FailureRow row, Replay replay) => new(
        row.Id, row.Stage, row.Key, row.Kind, row.Code, row.Text, row.TraceId, Cells.Time(row.FirstSeen), Cells.Time(row.LastSeen), row.Count,
        row.State, row.State == "retrying" ? Cells.Time(row.NextTryAt) : null, Cells.Time(row.ReplayedAt), Cells.Time(row.ResolvedAt), replay.Plan(row));
}
