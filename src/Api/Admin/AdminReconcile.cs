using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Pipeline.Api.Admin.Shapes;
using Pipeline.Contracts;
using Pipeline.Contracts.Upkeep;
using Pipeline.Registry.Bus;
using Pipeline.Registry.Truth;

namespace Pipeline.Api.Admin;

/// <summary>Runs of reconcile: asked for here, done by whichever process serves the queue.</summary>
internal static class AdminReconcile
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        AdminCall.Map(routes, HttpMethods.Post, "reconcile", "Compare the projections and the object store with the database", AskAsync);
        AdminCall.Map(routes, HttpMethods.Get, "reconcile", "Runs of reconcile, newest first", ListAsync);
        AdminCall.Map(routes, HttpMethods.Get, "reconcile/{id}", "A run of reconcile with what it found", ShowAsync);
    }

    private static async ValueTask<IResult> AskAsync(AdminCall call)
    {
        var (request, reject) = await call.BodyAsync(AdminJson.Default.ReconcileRequest, "an object, perhaps with `repair`").ConfigureAwait(false);
        if (request is null) return AdminCall.Refuse(reject!);
        var run = await call.Database.WriteAsync(sql => ReconcileRuns.AskAsync(sql, "operator", request.Repair)).ConfigureAwait(false);
        await call.Service<IDoorbell>().RingAsync(new Reconcile(RunId: run.Id)).ConfigureAwait(false);
        return AdminCall.Answer(Shape(run, 0, null), AdminJson.Default.ReconcileAnswer, StatusCodes.Status202Accepted);
    }

    private static async ValueTask<IResult> ListAsync(AdminCall call)
    {
        var (limit, before) = (call.Limit(), call.Number("cursor") ?? long.MaxValue);
        var runs = await call.Database.ReadAsync(sql => ReconcileRuns.ListAsync(sql, before, limit), call.Aborted).ConfigureAwait(false);
        return AdminCall.Answer(new ReconcilesAnswer(runs.ConvertAll(static run => Shape(run, 0, null)), Cells.Cursor(runs, limit, static run => run.Id)), AdminJson.Default.ReconcilesAnswer);
    }

    private static async ValueTask<IResult> ShowAsync(AdminCall call)
    {
        if (!long.TryParse(call.Route("id"), NumberStyles.None, CultureInfo.InvariantCulture, out var id)
            || await call.Database.ReadAsync(sql => ReconcileRuns.FindAsync(sql, id), call.Aborted).ConfigureAwait(false) is not { } run)
            return AdminCall.Refuse(new Reject(RejectCodes.NotFound, 404, "there is no such run"));
        var total = await call.Database.ReadAsync(IndexPages.CountAsync, call.Aborted).ConfigureAwait(false);
        // Who watches asks often: what was found so far is told at the end.
        var differences = run.FinishedAt is null ? null : await call.Database.ReadAsync(sql => ReconcileRuns.DifferencesAsync(sql, id), call.Aborted).ConfigureAwait(false);
        return AdminCall.Answer(Shape(run, total, differences), AdminJson.Default.ReconcileAnswer);
    }

    private static ReconcileAnswer Shape(ReconcileRun run, long total, List<Difference>? differences) => new(
        run.Id, run.Cause, run.Repair, run.State, run.IsClean, Cells.Time(run.StartedAt), Cells.Time(run.FinishedAt), run.Phase, run.Crates, total, run.Objects, run.InFlight,
        run.Found, run.Repaired, run.Open, run.Error,
        differences?.ConvertAll(static one => new DifferenceShape(ReconcileRuns.Text(one.Kind), one.Store, one.Name, one.Num, one.Object, one.Detail, one.Repaired)));
}
