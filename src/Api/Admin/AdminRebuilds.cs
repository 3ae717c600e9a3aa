using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Pipeline.Api.Admin.Shapes;
using Pipeline.Contracts;
using Pipeline.Contracts.Upkeep;
using Pipeline.Registry.Bus;
using Pipeline.Registry.Truth;

namespace Pipeline.Api.Admin;

/// <summary>Rebuilds of projections from the database: asked for here, done by whichever process serves the queue.</summary>
internal static class AdminRebuilds
{
    // A further projection that can be made anew is named here.
    private static readonly string[] Kinds = [ProjectionKinds.Git, ProjectionKinds.Sparse, ProjectionKinds.Search];

    public static void Map(IEndpointRouteBuilder routes)
    {
        AdminCall.Map(routes, HttpMethods.Post, "rebuilds", "Rebuild a projection from the database", AskAsync);
        AdminCall.Map(routes, HttpMethods.Get, "rebuilds", "Rebuilds, newest first", ListAsync);
        AdminCall.Map(routes, HttpMethods.Get, "rebuilds/{id}", "How far a rebuild has got", ShowAsync);
    }

    private static async ValueTask<IResult> AskAsync(AdminCall call)
    {
        var (request, reject) = await call.BodyAsync(AdminJson.Default.RebuildRequest, "an object with `kind`, and perhaps `crate` and `to`").ConfigureAwait(false);
        if (request is null) return AdminCall.Refuse(reject!);
        if (!Kinds.Contains(request.Kind, StringComparer.Ordinal)) throw new BadHttpRequestException($"`kind` is {string.Join(" or ", Kinds)}");
        if (request is { Kind: ProjectionKinds.Search, To: not null }) throw new BadHttpRequestException("the search projection is rows of the database: it has no folder, `to` does not go with it");
        if (request.To is { } to && (!Path.IsPathFullyQualified(to) || to.Contains('\0', StringComparison.Ordinal))) throw new BadHttpRequestException("`to` is an absolute path");
        if (request.To is { } there && Directory.Exists(there) && Directory.EnumerateFileSystemEntries(there).Any())
            return AdminCall.Refuse(new Reject(RejectCodes.Conflict, 409, $"the folder {there} is not empty"));
        string? canonical = null;
        if (request.Crate is { } name)
        {
            if (await call.Database.ReadAsync(sql => CrateLookup.CrateAsync(sql, name), call.Aborted).ConfigureAwait(false) is null)
                return AdminCall.Refuse(new Reject(RejectCodes.NotFound, 404, $"crate `{name}` does not exist"));
            canonical = CanonicalName.Of(name).Text;
        }

        if (request.To is null && await call.Database.ReadAsync(static sql => sql.LongAsync("SELECT 1 FROM registry WHERE read_only"), call.Aborted).ConfigureAwait(false) is not null)
            return AdminCall.Refuse(new Reject(RejectCodes.Conflict, 409, "the registry is read-only: what stands may know more than its database, so it is not rebuilt in place"));
        var folder = request.To is null ? null : Path.TrimEndingDirectorySeparator(Path.GetFullPath(request.To));
        var row = await call.Database.WriteAsync(sql => RebuildRows.AskAsync(sql, request.Kind!, canonical, folder, call.Actor.UserId)).ConfigureAwait(false);
        await call.Service<IDoorbell>().RingAsync(new Rebuild(row.Id)).ConfigureAwait(false);
        return AdminCall.Answer(Shape(row), AdminJson.Default.RebuildAnswer, StatusCodes.Status202Accepted);
    }

    private static async ValueTask<IResult> ListAsync(AdminCall call)
    {
        var (limit, before) = (call.Limit(), call.Number("cursor") ?? long.MaxValue);
        var rows = await call.Database.ReadAsync(sql => RebuildRows.ListAsync(sql, before, limit), call.Aborted).ConfigureAwait(false);
        return AdminCall.Answer(new RebuildsAnswer(rows.ConvertAll(Shape), Cells.Cursor(rows, limit, static row => row.Id)), AdminJson.Default.RebuildsAnswer);
    }

    private static async ValueTask<IResult> ShowAsync(AdminCall call) =>
        long.TryParse(call.Route("id"), NumberStyles.None, CultureInfo.InvariantCulture, out var id)
        && await call.Database.ReadAsync(sql => RebuildRows.FindAsync(sql, id), call.Aborted).ConfigureAwait(false) is { } row
            ? AdminCall.Answer(Shape(row), AdminJson.Default.RebuildAnswer)
            : AdminCall.Refuse(new Reject(RejectCodes.NotFound, 404, "there is no such rebuild"));

    private static RebuildAnswer Shape(RebuildRow row) => new(
        row.Id, row.Kind, row.Crate, row.Folder, row.State, row.Done, row.Total, row.Result, row.Error, Cells.Time(row.AskedAt), Cells.Time(row.StartedAt), Cells.Time(row.FinishedAt));
}
