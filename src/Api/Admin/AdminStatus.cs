using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Pipeline.Api.Admin.Shapes;
using Pipeline.Contracts.Cdn;
using Pipeline.Contracts.Index;
using Pipeline.Contracts.Notices;
using Pipeline.Contracts.Search;
using Pipeline.Contracts.Publishing;
using Pipeline.Contracts.Upkeep;
using Pipeline.Registry.Bus;
using Pipeline.Registry.Database;
using Pipeline.Registry.Truth;

namespace Pipeline.Api.Admin;

/// <summary>What waits, what lags, what failed, and how much there is.</summary>
internal static class AdminStatus
{
    private static readonly Dictionary<string, Type> Bells = new(StringComparer.Ordinal)
    {
        ["validate-tarball"] = typeof(ValidateTarball),
        ["read-manifest"] = typeof(ReadManifest),
        ["commit-index"] = typeof(CommitIndex),
        ["render-sparse"] = typeof(RenderSparse),
        ["purge-cdn"] = typeof(PurgeCdn),
        ["record-crate"] = typeof(RecordCrate),
        ["update-search"] = typeof(UpdateSearch),
        ["send-notices"] = typeof(SendNotices),
        ["delete-bytes"] = typeof(DeleteBytes),
    };

    public static void Map(IEndpointRouteBuilder routes) =>
        AdminCall.Map(routes, HttpMethods.Get, "status", "What waits in each stage, how far projections lag, what failed", ShowAsync);

    private static async ValueTask<IResult> ShowAsync(AdminCall call)
    {
        var status = await call.Database.ReadAsync(sql => ReadAsync(sql, call.Service<IDoorbell>()), call.Aborted).ConfigureAwait(false);
        return AdminCall.Answer(status, AdminJson.Default.StatusAnswer);
    }

    private static async ValueTask<StatusAnswer> ReadAsync(Statements sql, IDoorbell doorbell)
    {
        var standing = await Standing.ReadAsync(sql).ConfigureAwait(false);
        var undecided = standing.Stages.Where(static stage => stage.Stage is "validate-tarball" or "read-manifest").Sum(static stage => stage.Waiting);
        var stages = new List<StageStatus>();
        foreach (var stage in standing.Stages) stages.Add(await StageAsync(stage, doorbell).ConfigureAwait(false));
        return new StatusAnswer(
            stages,
            [.. standing.Projections.Select(static one => new ProjectionStatus(one.Target.Length == 0 ? one.Kind : $"{one.Kind}/{one.Target}", one.Behind, one.LagSeconds, one.Retrying))],
            [.. standing.Failures.Select(static one => new FailureCount(one.Stage, one.Kind, one.Count))],
            await CountsAsync(sql, undecided).ConfigureAwait(false));
    }

    private static async ValueTask<StageStatus> StageAsync(StageStanding stage, IDoorbell doorbell)
    {
        var level = await doorbell.LevelAsync(Bells[stage.Stage]).ConfigureAwait(false);
        return new StageStatus(stage.Stage, stage.Waiting, stage.OldestSeconds, level?.Waiting, level?.Capacity);
    }

    private static async ValueTask<RegistryCounts> CountsAsync(Statements sql, long undecided) => (await sql.FirstAsync(
        "SELECT (SELECT COUNT(*) FROM crates WHERE state = 'active'), (SELECT COUNT(*) FROM versions WHERE state = 'active'), (SELECT COUNT(*) FROM users)",
        row => new RegistryCounts(row.Long(0), row.Long(1), row.Long(2), undecided)).ConfigureAwait(false))!;
}
