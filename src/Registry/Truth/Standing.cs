using Pipeline.Registry.Database;
using Pipeline.Registry.Failures;

namespace Pipeline.Registry.Truth;

/// <summary>What waits, what lags and what failed, at one moment: what <c>pipeline status</c>, the console and the metrics show.</summary>
/// <param name="Stages">What waits for each stage that rows wait for.</param>
/// <param name="Projections">Every kind of projection, also one that lags nowhere; further targets while they lag.</param>
/// <param name="Failures">Open failures by stage and kind.</param>
public sealed record Standing(IReadOnlyList<StageStanding> Stages, IReadOnlyList<ProjectionStanding> Projections, IReadOnlyList<FailureStanding> Failures)
{
    /// <summary>How fresh the mirrors of the upstreams are.</summary>
    public IReadOnlyList<UpstreamFreshness> Upstreams { get; init; } = [];

    /// <summary>What the newest run of reconcile that ended has left; null: none has ended yet.</summary>
    public ReconcileStanding? Reconcile { get; init; }

    // One statement, so that a scrape costs one round trip; a row says what it is in its first column. The counts read the partial
    // indexes of what is open, so they cost what the backlog is, not what the registry is.
    private const string Sql =
        """
        SELECT 'now', '', '', now_us(), CAST(NULL AS BIGINT), 0, 0
        UNION ALL SELECT 'stage', 'validate-tarball', '', COUNT(*),
            (SELECT received_at FROM publishes WHERE state = 'parked' AND decided_at IS NULL ORDER BY id LIMIT 1), 0, COUNT(CASE WHEN next_try_at >= $1 THEN 1 END)
            FROM publishes WHERE state = 'parked' AND decided_at IS NULL
        UNION ALL SELECT 'stage', 'read-manifest', '', COUNT(*),
            (SELECT received_at FROM publishes WHERE state = 'checked' AND decided_at IS NULL ORDER BY id LIMIT 1), 0, COUNT(CASE WHEN next_try_at >= $1 THEN 1 END)
            FROM publishes WHERE state = 'checked' AND decided_at IS NULL
        UNION ALL SELECT 'stage', 'delete-bytes', '', COUNT(DISTINCT d.crate_id), MIN(v.updated_at), 0, COUNT(DISTINCT CASE WHEN d.next_try_at >= $1 THEN d.crate_id END)
            FROM deletions d JOIN versions v ON v.id = d.version_id WHERE d.done_at IS NULL
        UNION ALL SELECT 'projection', kind, target, COUNT(*), MIN(behind_since), COUNT(CASE WHEN next_try_at < $1 THEN 1 END), COUNT(CASE WHEN next_try_at >= $1 THEN 1 END)
            FROM projections WHERE reached < wanted GROUP BY kind, target
        UNION ALL SELECT 'projection', 'cdn', target, COUNT(*), MIN(created_at), COUNT(CASE WHEN attempts > 0 THEN 1 END), 0
            FROM purges WHERE confirmed_at IS NULL AND NOT again GROUP BY target
        UNION ALL SELECT 'projection', 'search', '', COUNT(DISTINCT COALESCE(crate_id, -id)), MIN(at), 0, 0 FROM changes WHERE id > (SELECT watermark FROM search_progress)
        UNION ALL SELECT 'projection', 'notices', CAST(w.id AS TEXT), (SELECT COUNT(*) FROM changes h WHERE h.id > w.watermark),
            (SELECT h.at FROM changes h WHERE h.id > w.watermark ORDER BY h.id LIMIT 1), w.failing, CASE WHEN w.next_try_at >= $1 THEN 1 ELSE 0 END
            FROM webhooks w WHERE w.watermark < (SELECT MAX(id) FROM changes)
        UNION ALL SELECT 'upstream', u.name, COALESCE((SELECT i.reason FROM upstream_incidents i WHERE i.upstream = u.name AND i.closed_at IS NULL), ''), 0,
            COALESCE(u.checked_at, u.added_at), u.attempts, 0 FROM upstreams u WHERE u.removed_at IS NULL
        UNION ALL SELECT * FROM (SELECT 'reconcile', state, '', differences_open, finished_at, in_flight, id FROM reconcile_runs WHERE finished_at IS NOT NULL ORDER BY id DESC LIMIT 1) AS newest
        UNION ALL SELECT 'failure', stage, kind, COUNT(*), MIN(first_seen), 0, 0
            FROM failures WHERE resolved_at IS NULL GROUP BY stage, kind
        """;

    /// <summary>Reads it.</summary>
    public static async ValueTask<Standing> ReadAsync(Statements sql)
    {
        ArgumentNullException.ThrowIfNull(sql);
        var rows = await sql.QueryAsync(
            Sql, static row => new Line(row.Text(0), row.Text(1), row.Text(2), row.Long(3), row.LongOrNull(4), row.Long(5), row.Long(6)), FailureLog.Parked).ConfigureAwait(false);
        var now = rows.Single(static row => row.What == "now").Count;
        var lagging = rows.Where(static row => row.What == "projection").ToDictionary(static row => (row.Name, row.Detail), row => row.Projection(now));
        foreach (var kind in ProjectionKinds.All) lagging.TryAdd((kind, ""), new ProjectionStanding(kind, "", 0, null, 0, 0));
        var projections = lagging.Values.OrderBy(static one => one.Kind, StringComparer.Ordinal).ThenBy(static one => one.Target, StringComparer.Ordinal).ToList();
        return new Standing(
            [.. Waiting(rows.Where(static row => row.What == "stage"), now, projections)],
            projections,
            [.. rows.Where(static row => row.What == "failure").Select(static row => new FailureStanding(row.Name, row.Detail, row.Count))
                .OrderBy(static one => one.Stage, StringComparer.Ordinal).ThenBy(static one => one.Kind, StringComparer.Ordinal)])
        {
            Upstreams = [.. rows.Where(static row => row.What == "upstream").Select(row => new UpstreamFreshness(row.Name, row.Age(now) ?? 0, row.Retrying, row.Detail.Length == 0 ? null : row.Detail)).OrderBy(static one => one.Name, StringComparer.Ordinal)],
            Reconcile = rows.FirstOrDefault(static row => row.What == "reconcile") is { } run ? new ReconcileStanding(run.Parked, run.Name, run.Count, run.Retrying, run.Age(now) ?? 0) : null,
        };
    }

    // In the order a publish meets them. What waits for a renderer is what its projection lags on.
    private static IEnumerable<StageStanding> Waiting(IEnumerable<Line> rows, long now, List<ProjectionStanding> projections)
    {
        var waiting = rows.ToDictionary(static row => row.Name, row => new StageStanding(row.Name, row.Count, row.Age(now), row.Parked));
        yield return waiting["validate-tarball"];
        yield return waiting["read-manifest"];
        yield return Of("commit-index", ProjectionKinds.Git);
        yield return Of("render-sparse", ProjectionKinds.Sparse);
        yield return Of("purge-cdn", ProjectionKinds.Cdn);
        yield return Of("record-crate", ProjectionKinds.Record);
        yield return Of("update-search", ProjectionKinds.Search);
        yield return Of("send-notices", ProjectionKinds.Notices);
        yield return waiting["delete-bytes"];

        StageStanding Of(string stage, string kind)
        {
            var of = projections.Where(one => one.Kind == kind).ToList();
            return new StageStanding(stage, of.Sum(static one => one.Behind), of.Max(static one => one.LagSeconds), of.Sum(static one => one.Parked));
        }
    }

    private sealed record Line(string What, string Name, string Detail, long Count, long? Since, long Retrying, long Parked)
    {
        public double? Age(long now) => Since is { } since ? Math.Max(0, now - since) / (double)Microseconds.Second : null;

        public ProjectionStanding Projection(long now) => new(Name, Detail, Count, Age(now), Retrying, Parked);
    }
}

/// <summary>What waits for one stage.</summary>
/// <param name="Stage">Its queue.</param>
/// <param name="Waiting">Rows that wait for it.</param>
/// <param name="OldestSeconds">The age of the oldest; null: none waits.</param>
/// <param name="Parked">How many of them wait for a replay.</param>
public sealed record StageStanding(string Stage, long Waiting, double? OldestSeconds, long Parked);

/// <summary>How far one projection lags.</summary>
/// <param name="Kind">Its kind.</param>
/// <param name="Target">Which instance of it; empty where there is one.</param>
/// <param name="Behind">The crates it lags on; of a cache, the purges that it has not confirmed.</param>
/// <param name="LagSeconds">Since when, for the one that lags longest; null: none does.</param>
/// <param name="Retrying">How many of them wait for a next try after a failed one.</param>
/// <param name="Parked">How many of them wait for a replay.</param>
public sealed record ProjectionStanding(string Kind, string Target, long Behind, double? LagSeconds, long Retrying, long Parked);

/// <summary>Open failures of one stage and kind.</summary>
/// <param name="Stage">The stage.</param>
/// <param name="Kind"><c>reject</c>, <c>transient</c> or <c>fault</c>.</param>
/// <param name="Count">How many rows.</param>
public sealed record FailureStanding(string Stage, string Kind, long Count);

/// <summary>How fresh a mirror is.</summary>
/// <param name="Name">The upstream.</param>
/// <param name="AgeSeconds">How long ago its last good sync ended; before the first, how long ago it was added.</param>
/// <param name="Attempts">Syncs that failed since.</param>
/// <param name="Incident"><c>failing</c> or <c>stale</c> while an incident is open; null: none is.</param>
public sealed record UpstreamFreshness(string Name, double AgeSeconds, long Attempts, string? Incident);

/// <summary>What a run of reconcile has left.</summary>
/// <param name="Run">The run.</param>
/// <param name="State"><c>done</c> or <c>failed</c>.</param>
/// <param name="Open">Differences that it did not mend.</param>
/// <param name="InFlight">Crates that never came to rest.</param>
/// <param name="AgeSeconds">How long ago it ended.</param>
public sealed record ReconcileStanding(long Run, string State, long Open, long InFlight, double AgeSeconds);
