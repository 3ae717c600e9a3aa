using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Pipeline.Api.Admin.Shapes;
using Pipeline.Registry.Database;
using Pipeline.Registry.Truth;

namespace Pipeline.Api.Admin;

/// <summary>
/// Whether the registry takes writes. A restored one does again by itself once it is reconciled; an operator who knows what is amiss and cannot
/// be mended (bytes that no backup has) ends it here.
/// </summary>
internal static class AdminReadOnly
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        AdminCall.Map(routes, HttpMethods.Get, "read-only", "Whether the registry takes writes, and why not", async call =>
            AdminCall.Answer(await call.Database.ReadAsync(ReadAsync, call.Aborted).ConfigureAwait(false), AdminJson.Default.ReadOnlyAnswer));
        AdminCall.Map(routes, HttpMethods.Delete, "read-only", "Takes writes again, reconciled or not", EndAsync);
    }

    private static async ValueTask<IResult> EndAsync(AdminCall call) => AdminCall.Answer(
        await call.Database.WriteAsync(
            async sql =>
            {
                if (await ReadOnlyState.EndAsync(sql).ConfigureAwait(false)) await Audit.WriteAsync(sql, "end-read-only", call.Actor).ConfigureAwait(false);
                return await ReadAsync(sql).ConfigureAwait(false);
            },
            call.Aborted).ConfigureAwait(false),
        AdminJson.Default.ReadOnlyAnswer);

    private static async ValueTask<ReadOnlyAnswer> ReadAsync(Statements sql) => await sql.FirstAsync(
        "SELECT read_only, read_only_reason, read_only_since, epoch FROM registry",
        static row => new ReadOnlyAnswer(row.Bool(0), row.TextOrNull(1), Cells.Time(row.LongOrNull(2)), row.Text(3))).ConfigureAwait(false) ?? new ReadOnlyAnswer(false, null, null, "");
}
