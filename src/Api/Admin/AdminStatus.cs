using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Pipeline.Api.Admin.Shapes;
using Pipeline.Contracts.Index;
using Pipeline.Contracts.Publishing;
using Pipeline.Contracts.Upkeep;
using Pipeline.Registry.Bus;
using Pipeline.Registry.Database;
using Pipeline.Registry.Truth;

namespace Pipeline.Api.Admin;

/// <summary>What waits, what lags, what failed, and how much there is.</summary>
internal static class AdminStatus
{
    public static void Map(IEndpointRouteBuilder routes) =>
        AdminCall.Map(routes, HttpMethods.Get, "status", "What waits in each stage, how far projections lag, what failed", ShowAsync);

    private static async ValueTask<IResult> ShowAsync(AdminCall call)
    {
        var status = await call.Database.ReadAsync(sql => ReadAsync(sql, call.Service<IDoorbell>()), call.Aborted).ConfigureAwait(false);
        return AdminCall.Answer(status, AdminJson.Default.StatusAnswer);
    }

    private static async ValueTask<StatusAnswer> ReadAsync(Statements sql, IDoorbell doorbell)
    {
        var now = await sql.NowAsync().ConfigureAwait(false);
        var git = await LagAsync(sql, ProjectionKinds.Git, now).ConfigureAwait(false);
        var sparse = await LagAsync(sql, ProjectionKinds.Sparse, now).ConfigureAwait(false);
        var parked = await WaitingAsync(sql, PublishStates.Parked, now).ConfigureAwait(false);
        var read = await WaitingAsync(sql, PublishStates.Checked, now).ConfigureAwait(false);
        var bytes = await sql.FirstAsync(
            "SELECT COUNT(DISTINCT d.crate_id), MIN(v.updated_at) FROM deletions d JOIN versions v ON v.id = d.version_id WHERE d.done_at IS NULL",
            row => (row.Long(0), Age(row.LongOrNull(1), now))).ConfigureAwait(false);
        return new StatusAnswer(
            [
                await StageAsync<ValidateTarball>("validate-tarball", parked, doorbell).ConfigureAwait(false),
                await StageAsync<ReadManifest>("read-manifest", read, doorbell).ConfigureAwait(false),
                await StageAsync<CommitIndex>("commit-index", (git.Behind, git.LagSeconds), doorbell).ConfigureAwait(false),
                await StageAsync<RenderSparse>("render-sparse", (sparse.Behind, sparse.LagSeconds), doorbell).ConfigureAwait(false),
                await StageAsync<DeleteBytes>("delete-bytes", bytes, doorbell).ConfigureAwait(false),
            ],
            [git, sparse],
            await FailuresAsync(sql).ConfigureAwait(false),
            await CountsAsync(sql, parked.Count + read.Count).ConfigureAwait(false));
    }

    private static async ValueTask<StageStatus> StageAsync<T>(string queue, (long Count, double? Oldest) waiting, IDoorbell doorbell)
    {
        var level = await doorbell.LevelAsync(typeof(T)).ConfigureAwait(false);
        return new StageStatus(queue, waiting.Count, waiting.Oldest, level?.Waiting, level?.Capacity);
    }

    private static async ValueTask<(long Count, double? Oldest)> WaitingAsync(Statements sql, string state, long now)
    {
        var count = await sql.LongAsync("SELECT COUNT(*) FROM publishes WHERE state = $1 AND decided_at IS NULL", state).ConfigureAwait(false);
        var oldest = await sql.LongAsync(
            "SELECT received_at FROM publishes WHERE state = $1 AND decided_at IS NULL ORDER BY id LIMIT 1", state).ConfigureAwait(false);
        return (count!.Value, Age(oldest, now));
    }

    private static async ValueTask<ProjectionStatus> LagAsync(Statements sql, string kind, long now) => (await sql.FirstAsync(
        "SELECT COUNT(*), MIN(behind_since), COUNT(next_try_at) FROM projections WHERE kind = $1 AND reached < wanted",
        row => new ProjectionStatus(kind, row.Long(0), Age(row.LongOrNull(1), now), row.Long(2)),
        kind).ConfigureAwait(false))!;

    private static ValueTask<List<FailureCount>> FailuresAsync(Statements sql) => sql.QueryAsync(
        "SELECT stage, kind, COUNT(*) FROM failures WHERE resolved_at IS NULL GROUP BY stage, kind ORDER BY stage, kind",
        static row => new FailureCount(row.Text(0), row.Text(1), row.Long(2)));

    private static async ValueTask<RegistryCounts> CountsAsync(Statements sql, long undecided) => (await sql.FirstAsync(
        "SELECT (SELECT COUNT(*) FROM crates WHERE state = 'active'), (SELECT COUNT(*) FROM versions WHERE state = 'active'), (SELECT COUNT(*) FROM users)",
        row => new RegistryCounts(row.Long(0), row.Long(1), row.Long(2), undecided)).ConfigureAwait(false))!;

    private static double? Age(long? since, long now) => since is { } at ? Math.Max(0, now - at) / (double)Microseconds.Second : null;
}
