using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Pipeline.Api.Admin.Shapes;

namespace Pipeline.Api.Admin;

/// <summary>Failures that nobody has resolved.</summary>
internal static class AdminFailures
{
    public static void Map(IEndpointRouteBuilder routes) =>
        AdminCall.Map(routes, HttpMethods.Get, "failures", "Open failures, newest first, by `stage`, `code` and `since`", ListAsync);

    private static async ValueTask<IResult> ListAsync(AdminCall call)
    {
        var (limit, before) = (call.Limit(), call.Number("cursor"));
        var failures = await call.Database.ReadAsync(
            sql => sql.QueryAsync(
                """
                SELECT id, stage, key, kind, code, text, trace_id, first_seen, last_seen, count FROM failures
                WHERE resolved_at IS NULL AND id < $1 AND ($2 = '' OR stage = $2) AND ($3 = '' OR code = $3) AND last_seen >= $4 ORDER BY id DESC LIMIT $5
                """,
                static row => new FailureShape(
                    row.Long(0), row.Text(1), row.Text(2), row.Text(3), row.Text(4), row.Text(5), row.TextOrNull(6), Cells.Time(row.Long(7)), Cells.Time(row.Long(8)), row.Long(9)),
                before ?? long.MaxValue, call.Query("stage") ?? "", call.Query("code") ?? "", call.Time("since") ?? 0, (long)limit),
            call.Aborted).ConfigureAwait(false);
        return AdminCall.Answer(new FailuresAnswer(failures, Cells.Cursor(failures, limit, failure => failure.Id)), AdminJson.Default.FailuresAnswer);
    }
}
