using System.Text.RegularExpressions;
using Pipeline.Contracts.Upkeep;
using Pipeline.Registry.Database;

namespace Pipeline.Registry.Truth;

/// <summary>A run of reconcile: its row.</summary>
/// <param name="Id">The row.</param>
/// <param name="Cause"><c>schedule</c> or <c>operator</c>.</param>
/// <param name="Repair">Whether what is derivable is mended.</param>
/// <param name="State"><c>waiting</c>, <c>running</c>, <c>done</c> or <c>failed</c>.</param>
/// <param name="StartedAt">When it began, microseconds.</param>
/// <param name="FinishedAt">When it ended.</param>
/// <param name="Phase">What it compares.</param>
/// <param name="Position">How far that has got.</param>
/// <param name="Crates">Crates compared.</param>
/// <param name="Objects">Objects looked at.</param>
/// <param name="InFlight">Crates that never came to rest.</param>
/// <param name="Found">Differences found.</param>
/// <param name="Repaired">Of these mended.</param>
/// <param name="Open">Of these not mended.</param>
/// <param name="Error">Why it failed.</param>
public sealed record ReconcileRun(
    long Id, string Cause, bool Repair, string State, long StartedAt, long? FinishedAt, string? Phase, string? Position, long Crates, long Objects, long InFlight,
    long Found, long Repaired, long Open, string? Error)
{
    /// <summary>Whether it has looked at everything and nothing is left that differs.</summary>
    public bool IsClean => State == "done" && Open == 0 && InFlight == 0;
}

/// <summary>A difference that a run has found.</summary>
/// <param name="Kind">What.</param>
/// <param name="Store">Where: <c>git</c>, <c>sparse</c>, <c>objects</c>, <c>records</c>, <c>staging</c>, <c>cdn/NAME</c>.</param>
/// <param name="CrateId">The crate; null: none that the database knows.</param>
/// <param name="Name">Its name.</param>
/// <param name="Num">The version; null: the whole file.</param>
/// <param name="Object">The path, key or URL.</param>
/// <param name="Detail">More of it, for people.</param>
/// <param name="Repaired">Whether it was mended, and seen to be.</param>
public sealed record Difference(DifferenceKind Kind, string Store, long? CrateId, string? Name, string? Num, string? Object, string? Detail, bool Repaired = false);

/// <summary>What a page of a run adds to it.</summary>
/// <param name="Crates">Crates compared.</param>
/// <param name="Objects">Objects looked at.</param>
/// <param name="InFlight">Crates that did not come to rest.</param>
/// <param name="Differences">What differs.</param>
public sealed record ReconcilePage(long Crates, long Objects, long InFlight, IReadOnlyList<Difference> Differences);

/// <summary>The rows of reconcile. A run that was cut off goes on from its last page.</summary>
public static partial class ReconcileRuns
{
    /// <summary>The most differences that a run notes; all are counted.</summary>
    public const int MostNoted = 1000;

    /// <summary>Puts an open run off after a failure.</summary>
    public const string DelaySql = "UPDATE reconcile_runs SET attempts = attempts + 1, error = $2, next_try_at = $3 WHERE finished_at IS NULL AND $1 <> ''";

    /// <summary>Makes the runs that wait after a failure due again.</summary>
    public const string ResetSql = "UPDATE reconcile_runs SET attempts = 0, next_try_at = NULL, rung_at = NULL WHERE finished_at IS NULL AND $1 <> ''";

    private const int MostKept = 100;

    private const string Columns =
        "id, cause, repair, state, started_at, finished_at, phase, position, crates, objects, in_flight, differences_found, differences_repaired, differences_open, error";

    /// <summary>The text of a kind.</summary>
    public static string Text(DifferenceKind kind) => Hump().Replace(kind.ToString(), "-$0").ToLowerInvariant();

    /// <summary>Asks for a run. One that stands open is returned instead, unless it does not mend and that is asked.</summary>
    public static async ValueTask<ReconcileRun> AskAsync(Statements sql, string cause, bool repair)
    {
        ArgumentNullException.ThrowIfNull(sql);
        if (await sql.FirstAsync($"SELECT {Columns} FROM reconcile_runs WHERE finished_at IS NULL ORDER BY id LIMIT 1", Read).ConfigureAwait(false) is { } open && (open.Repair || !repair)) return open;
        return (await sql.FirstAsync(
            $"INSERT INTO reconcile_runs (cause, repair, state, started_at, rung_at) VALUES ($1, $2, 'waiting', now_us(), now_us()) RETURNING {Columns}", Read, cause, repair).ConfigureAwait(false))!;
    }

    /// <summary>The oldest run without an end; null: there is none.</summary>
    public static ValueTask<ReconcileRun?> OpenAsync(Statements sql)
    {
        ArgumentNullException.ThrowIfNull(sql);
        return sql.FirstAsync($"SELECT {Columns} FROM reconcile_runs WHERE finished_at IS NULL ORDER BY id LIMIT 1", Read)!;
    }

    /// <summary>A run; null: there is none of that number.</summary>
    public static ValueTask<ReconcileRun?> FindAsync(Statements sql, long id)
    {
        ArgumentNullException.ThrowIfNull(sql);
        return sql.FirstAsync($"SELECT {Columns} FROM reconcile_runs WHERE id = $1", Read, id)!;
    }

    /// <summary>The newest run that has ended; null: there is none.</summary>
    public static ValueTask<ReconcileRun?> NewestAsync(Statements sql)
    {
        ArgumentNullException.ThrowIfNull(sql);
        return sql.FirstAsync($"SELECT {Columns} FROM reconcile_runs WHERE finished_at IS NOT NULL ORDER BY id DESC LIMIT 1", Read)!;
    }

    /// <summary>Runs, newest first.</summary>
    public static ValueTask<List<ReconcileRun>> ListAsync(Statements sql, long before, long most)
    {
        ArgumentNullException.ThrowIfNull(sql);
        return sql.QueryAsync($"SELECT {Columns} FROM reconcile_runs WHERE id < $1 ORDER BY id DESC LIMIT $2", Read, before, most);
    }

    /// <summary>What a run found, in that order.</summary>
    public static ValueTask<List<Difference>> DifferencesAsync(Statements sql, long runId)
    {
        ArgumentNullException.ThrowIfNull(sql);
        return sql.QueryAsync(
            "SELECT kind, store, crate_id, name, num, object, detail, state FROM reconcile_differences WHERE run_id = $1 ORDER BY id",
            static row => new Difference(
                Enum.GetValues<DifferenceKind>().First(kind => Text(kind) == row.Text(0)), row.Text(1), row.LongOrNull(2), row.TextOrNull(3), row.TextOrNull(4), row.TextOrNull(5),
                row.TextOrNull(6), row.Text(7) == "repaired"),
            runId);
    }

    /// <summary>Notes a page, and where the next one begins.</summary>
    /// <param name="sql">The open transaction.</param>
    /// <param name="run">The run.</param>
    /// <param name="phase">What is compared next.</param>
    /// <param name="position">How far that has got; null: not begun.</param>
    /// <param name="page">What the page adds.</param>
    public static async ValueTask<int> NoteAsync(Statements sql, long run, string phase, string? position, ReconcilePage page)
    {
        ArgumentNullException.ThrowIfNull(sql);
        ArgumentNullException.ThrowIfNull(page);
        var noted = await sql.LongAsync("SELECT COUNT(*) FROM reconcile_differences WHERE run_id = $1", run).ConfigureAwait(false) ?? 0;
        var (found, repaired) = (0L, 0L);
        foreach (var difference in page.Differences)
        {
            // Found before the run was cut off, and again now.
            if (await sql.LongAsync(
                "SELECT 1 FROM reconcile_differences WHERE run_id = $1 AND kind = $2 AND store = $3 AND COALESCE(num, '') = $4 AND COALESCE(object, '') = $5 LIMIT 1",
                run, Text(difference.Kind), difference.Store, difference.Num ?? "", difference.Object ?? "").ConfigureAwait(false) is not null) continue;
            found++;
            if (difference.Repaired) repaired++;
            if (noted++ >= MostNoted) continue;
            await sql.ExecuteAsync(
                "INSERT INTO reconcile_differences (run_id, kind, store, crate_id, name, num, object, detail, state, found_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, now_us())",
                run, Text(difference.Kind), difference.Store, difference.CrateId, difference.Name, difference.Num, difference.Object, difference.Detail,
                difference.Repaired ? "repaired" : "open").ConfigureAwait(false);
        }

        return await sql.ExecuteAsync(
            """
            UPDATE reconcile_runs SET state = 'running', phase = $2, position = $3, crates = crates + $4, objects = objects + $5, in_flight = in_flight + $6,
                differences_found = differences_found + $7, differences_repaired = differences_repaired + $8, differences_open = differences_open + $9, rung_at = now_us(),
                next_try_at = NULL
            WHERE id = $1
            """,
            run, phase, position, page.Crates, page.Objects, page.InFlight, found, repaired, found - repaired).ConfigureAwait(false);
    }

    /// <summary>Ends a run, and forgets old ones.</summary>
    public static async ValueTask<int> EndAsync(Statements sql, long run, string? error)
    {
        ArgumentNullException.ThrowIfNull(sql);
        var oldest = await sql.LongAsync("SELECT id FROM reconcile_runs ORDER BY id DESC LIMIT 1 OFFSET $1", (long)MostKept).ConfigureAwait(false) ?? 0;
        await sql.ExecuteAsync("DELETE FROM reconcile_differences WHERE run_id <= $1", oldest).ConfigureAwait(false);
        await sql.ExecuteAsync("DELETE FROM reconcile_runs WHERE id <= $1 AND finished_at IS NOT NULL", oldest).ConfigureAwait(false);
        return await sql.ExecuteAsync(
            "UPDATE reconcile_runs SET state = $2, error = $3, finished_at = now_us() WHERE id = $1 AND finished_at IS NULL", run, error is null ? "done" : "failed", error).ConfigureAwait(false);
    }

    /// <summary>Claims open runs that nobody is at, for the sweep.</summary>
    public static ValueTask<List<long>> ClaimAsync(Statements sql, long againAfter, int most) => LongWork.ClaimAsync(sql, "reconcile_runs", againAfter, most);

    private static ReconcileRun Read(Row row) => new(
        row.Long(0), row.Text(1), row.Bool(2), row.Text(3), row.Long(4), row.LongOrNull(5), row.TextOrNull(6), row.TextOrNull(7), row.Long(8), row.Long(9), row.Long(10),
        row.Long(11), row.Long(12), row.Long(13), row.TextOrNull(14));

    [GeneratedRegex("(?<!^)[A-Z]")]
    private static partial Regex Hump();
}
