using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Pipeline.Api.Admin.Shapes;
using Pipeline.Contracts;
using Pipeline.Contracts.Publishing;
using Pipeline.Registry.Bus;
using Pipeline.Registry.Telemetry;
using Pipeline.Registry.Truth;

namespace Pipeline.Api.Admin;

/// <summary>What waits, what is worked on, what lags, what failed, who is alive, and how much there is.</summary>
internal static class AdminStatus
{
    private const double SecondsPerMinute = 60;

    public static void Map(IEndpointRouteBuilder routes) =>
        AdminCall.Map(routes, HttpMethods.Get, "status", "What waits in each stage, how far projections lag, what failed, and what is held", ShowAsync);

    private static async ValueTask<IResult> ShowAsync(AdminCall call)
    {
        var (standing, holders, totals) = await call.Database.ReadAsync(
            async sql => (
                await Standing.ReadAsync(sql).ConfigureAwait(false),
                await Holders.ReadAsync(sql, call.Service<ThisProcess>().Id, call.Service<StageActivity>()).ConfigureAwait(false),
                await RegistryTotals.ReadAsync(sql, call.Service<RareCounts>()).ConfigureAwait(false)),
            call.Aborted).ConfigureAwait(false);
        var stages = await StagesAsync(standing, holders, call.Service<Stages>(), call.Service<IDoorbell>()).ConfigureAwait(false);
        var undecided = standing.Stages.Where(static stage => stage.Stage is "validate-tarball" or "read-manifest").Sum(static stage => stage.Waiting);
        var answer = new StatusAnswer(
            stages,
            [.. standing.Projections.Select(static one => new ProjectionStatus(one.Target.Length == 0 ? one.Kind : $"{one.Kind}/{one.Target}", one.Behind, one.LagSeconds, one.Retrying, one.Parked))],
            [.. standing.Failures.Select(static one => new FailureCount(one.Stage, one.Kind, one.Count))],
            new RegistryCounts(totals.Crates, totals.Versions, totals.Users, undecided),
            new OverdueStatus(
                holders.OverdueCount,
                holders.ExpiredLastDay,
                [.. holders.Overdue.Select(static one => new OverdueShape(one.Id, one.Name, one.Num, one.Stage, Cells.Time(one.DeadlineAt), one.LastError is { } error ? Quoted.Value(error) : null, one.WaitsFor))]),
            [.. holders.Claims.Select(static one => new ClaimStatus(one.Kind, one.Open, one.OfDead, one.OldestSeconds))],
            [.. holders.Leases.Select(static one => new LeaseStatus(one.Name, one.Process, one.IsAlive, one.SecondsLeft))],
            [.. holders.Processes.Select(static one => new ProcessStatus(one.Id, one.Roles, Cells.Time(one.StartedAt), one.SeenSeconds))],
            standing.Reconcile is { } run ? new ReconcileStatus(run.Run, run.State, run.Open, run.InFlight, run.AgeSeconds) : null,
            [.. standing.Upstreams.Select(static one => new UpstreamStatus(one.Name, one.AgeSeconds, one.Attempts, one.Incident))]);
        return AdminCall.Answer(answer, AdminJson.Default.StatusAnswer);
    }

    /// <summary>The stages that rows wait for, in the order a publish meets them, then whatever else has a queue.</summary>
    private static async Task<List<StageStatus>> StagesAsync(Standing standing, Holders holders, Stages known, IDoorbell doorbell)
    {
        var activity = holders.Activity.ToDictionary(static one => one.Stage, StringComparer.Ordinal);
        var others = known.All.Where(stage => stage.Message != typeof(PublishDecided) && standing.Stages.All(one => one.Stage != stage.Queue)).Select(static stage => new StageStanding(stage.Queue, 0, null, 0));
        var stages = new List<StageStatus>();
        foreach (var stage in standing.Stages.Concat(others))
        {
            var level = known.Find(stage.Stage) is { } at ? await doorbell.LevelAsync(at.Message).ConfigureAwait(false) : null;
            var now = activity.GetValueOrDefault(stage.Stage);
            stages.Add(new StageStatus(stage.Stage, stage.Waiting, stage.OldestSeconds, level?.Waiting, level?.Capacity, now?.Running ?? 0, (now?.DonePerMinute ?? 0) / SecondsPerMinute, stage.Parked));
        }

        return stages;
    }
}
