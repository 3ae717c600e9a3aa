using Pipeline.Registry.Database;
using Pipeline.Registry.Telemetry;

namespace Pipeline.Registry.Truth;

/// <summary>A process that says that it is alive.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Roles">The queues it was told to serve; empty: all; <c>api</c>: none.</param>
/// <param name="StartedAt">When it began, microseconds.</param>
/// <param name="SeenSeconds">How long ago it said so.</param>
public sealed record LivingProcess(string Id, string Roles, long StartedAt, double SeenSeconds);

/// <summary>A lease.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Process">Who holds it, or held it last.</param>
/// <param name="IsAlive">Whether that process is among the living.</param>
/// <param name="SecondsLeft">How long it holds without renewal; negative: it has run out, anybody may take it.</param>
public sealed record HeldLease(string Name, string Process, bool IsAlive, double SecondsLeft);

/// <summary>Rows that renderers or cache workers hold while they write outside.</summary>
/// <param name="Kind">A kind of projection.</param>
/// <param name="Open">How many.</param>
/// <param name="OfDead">How many of them are of dead processes; the sweep sees to those.</param>
/// <param name="OldestSeconds">The age of the oldest; null: there is none.</param>
public sealed record OpenClaims(string Kind, long Open, long OfDead, double? OldestSeconds);

/// <summary>A publish past its deadline that nobody has given up yet.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Name">The crate.</param>
/// <param name="Num">The version.</param>
/// <param name="Stage">The stage that holds it.</param>
/// <param name="DeadlineAt">Its deadline, microseconds.</param>
/// <param name="LastError">Why its stage failed last.</param>
/// <param name="WaitsFor">The publish that holds its version.</param>
public sealed record OverduePublish(string Id, string Name, string Num, string Stage, long DeadlineAt, string? LastError, string? WaitsFor);

/// <summary>Who is alive, what is held, and what is held too long.</summary>
/// <param name="Processes">The living.</param>
/// <param name="Leases">The leases.</param>
/// <param name="Claims">Open claims by kind.</param>
/// <param name="Overdue">Publishes past their deadline, oldest first, a page of them.</param>
/// <param name="OverdueCount">How many there are.</param>
/// <param name="ExpiredLastDay">Publishes given up in the last 24 hours.</param>
/// <param name="Activity">What the living do in each stage.</param>
public sealed record Holders(
    IReadOnlyList<LivingProcess> Processes, IReadOnlyList<HeldLease> Leases, IReadOnlyList<OpenClaims> Claims,
    IReadOnlyList<OverduePublish> Overdue, long OverdueCount, long ExpiredLastDay, IReadOnlyList<StageNow> Activity)
{
    private const long MostOverdue = 20;

    /// <summary>Reads it.</summary>
    /// <param name="sql">Where to read.</param>
    /// <param name="process">This process, and what it does now; of the others the database knows what they did at their last sign of life.</param>
    /// <param name="activity">What this process does.</param>
    public static async ValueTask<Holders> ReadAsync(Statements sql, string process, StageActivity activity)
    {
        ArgumentNullException.ThrowIfNull(sql);
        ArgumentNullException.ThrowIfNull(activity);
        var processes = await sql.QueryAsync(
            "SELECT id, roles, started_at, now_us() - seen_at FROM processes ORDER BY started_at, id",
            static row => new LivingProcess(row.Text(0), row.Text(1), row.Long(2), Seconds(row.Long(3)))).ConfigureAwait(false);
        var leases = await sql.QueryAsync(
            "SELECT name, process, EXISTS (SELECT 1 FROM processes p WHERE p.id = leases.process), until - now_us() FROM leases ORDER BY name",
            static row => new HeldLease(row.Text(0), row.Text(1), row.Bool(2), Seconds(row.Long(3)))).ConfigureAwait(false);
        var claims = await sql.QueryAsync(
            """
            SELECT 'sparse', COUNT(*), COUNT(CASE WHEN a.id IS NULL THEN 1 END), now_us() - MIN(claimed_at) FROM claims c LEFT JOIN processes a ON a.id = c.process
            UNION ALL
            SELECT 'cdn', COUNT(*), COUNT(CASE WHEN a.id IS NULL THEN 1 END), now_us() - MIN(taken_at) FROM purges c LEFT JOIN processes a ON a.id = c.taken_by WHERE c.taken_at IS NOT NULL
            """,
            static row => new OpenClaims(row.Text(0), row.Long(1), row.Long(2), row.LongOrNull(3) is { } age ? Seconds(age) : null)).ConfigureAwait(false);
        const string overdue = "FROM publishes WHERE decided_at IS NULL AND state IN ('parked', 'checked') AND deadline_at < now_us()";
        var late = await sql.QueryAsync(
            $"SELECT id, name, num, state, deadline_at, last_error, waits_for {overdue} ORDER BY id LIMIT $1",
            static row => new OverduePublish(row.Text(0), row.Text(1), row.Text(2), PublishStates.StageOf(row.Text(3)), row.Long(4), row.TextOrNull(5), row.TextOrNull(6)), MostOverdue).ConfigureAwait(false);
        var count = late.Count < MostOverdue ? late.Count : await sql.LongAsync($"SELECT COUNT(*) {overdue}").ConfigureAwait(false);
        var expired = await sql.LongAsync("SELECT COUNT(*) FROM publishes WHERE verdict_code = 'expired' AND decided_at > now_us() - 86400000000").ConfigureAwait(false);
        var others = await sql.QueryAsync(
            "SELECT s.stage, CAST(SUM(s.running) AS BIGINT), CAST(SUM(s.done_per_minute) AS BIGINT) FROM process_stages s JOIN processes p ON p.id = s.process WHERE s.process <> $1 GROUP BY s.stage",
            static row => new StageNow(row.Text(0), row.Long(1), row.Long(2)), process).ConfigureAwait(false);
        List<StageNow> now = [.. others.Concat(activity.Now()).GroupBy(static one => one.Stage).Select(static group => new StageNow(group.Key, group.Sum(static one => one.Running), group.Sum(static one => one.DonePerMinute)))];
        return new Holders(processes, leases, claims, late, count!.Value, expired!.Value, now);
    }

    private static double Seconds(long microseconds) => microseconds / (double)Microseconds.Second;
}
