using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Pipeline.Api.Admin.Shapes;
using Pipeline.Contracts.Upkeep;
using Pipeline.Registry.Bus;
using Pipeline.Registry.Database;
using Pipeline.Registry.Truth;

namespace Pipeline.Api.Admin;

/// <summary>The squash of the git index: asked for here, done by a worker.</summary>
internal static class AdminSquash
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        AdminCall.Map(routes, HttpMethods.Get, "squash", "The squash of the git index: under way, and the last one", async call =>
            AdminCall.Answer(await call.Database.ReadAsync(ReadAsync, call.Aborted).ConfigureAwait(false), AdminJson.Default.SquashAnswer));
        AdminCall.Map(routes, HttpMethods.Post, "squash", "Asks for a squash of the git index into one commit", WantAsync);
    }

    private static async ValueTask<IResult> WantAsync(AdminCall call)
    {
        var answer = await call.Database.WriteAsync(
            async sql =>
            {
                if (await SquashRow.WantAsync(sql).ConfigureAwait(false) == 1) await Audit.WriteAsync(sql, "squash-index", call.Actor).ConfigureAwait(false);
                return await ReadAsync(sql).ConfigureAwait(false);
            },
            call.Aborted).ConfigureAwait(false);
        await call.Service<IDoorbell>().RingAsync(new SquashIndex()).ConfigureAwait(false);
        return AdminCall.Answer(answer, AdminJson.Default.SquashAnswer, StatusCodes.Status202Accepted);
    }

    private static async ValueTask<SquashAnswer> ReadAsync(Statements sql) => (await sql.FirstAsync(
        "SELECT squash_wanted_at, squash_error, squashed_at, squashed_from, squashed_to, squash_branch FROM git_index WHERE target = ''",
        static row => new SquashAnswer(
            Cells.Time(row.LongOrNull(0)), row.TextOrNull(1), Cells.Time(row.LongOrNull(2)), row.TextOrNull(3), row.TextOrNull(4), row.TextOrNull(5))).ConfigureAwait(false))!;
}
