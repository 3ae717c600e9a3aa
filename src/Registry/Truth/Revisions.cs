using System.Diagnostics;
using Pipeline.Registry.Database;
using Pipeline.Registry.Failures;

namespace Pipeline.Registry.Truth;

/// <summary>What a change did to a crate.</summary>
/// <param name="CrateId">The crate's row.</param>
/// <param name="Revision">Its revision now.</param>
/// <param name="Change">The id of the change row.</param>
public sealed record Revised(long CrateId, long Revision, long Change);

/// <summary>
/// The one way a crate changes: in the caller's transaction its revision grows, the change is appended, and every projection
/// falls behind. Publish, yank, owner and deletion all come through here, so none can forget a projection.
/// </summary>
public static class Revisions
{
    // A projection already behind keeps the oldest change it lacks: renderers go in that order.
    private const string BehindSql =
        """

        ON CONFLICT (crate_id, kind, target) DO UPDATE SET
            wanted = excluded.wanted,
            first_change = CASE WHEN projections.reached < projections.wanted THEN projections.first_change ELSE excluded.first_change END,
            behind_since = CASE WHEN projections.reached < projections.wanted THEN projections.behind_since ELSE excluded.behind_since END,
            rung_at = excluded.rung_at
        """;

    /// <summary>Bumps a crate's revision and appends a change that is no publish.</summary>
    /// <param name="sql">The open transaction.</param>
    /// <param name="crateId">The crate.</param>
    /// <param name="kind">What happened: <c>yank</c>, <c>unyank</c>, <c>delete</c>, <c>owners</c> …</param>
    /// <param name="num">The version it happened to, or null.</param>
    /// <param name="data">JSON by kind, or null.</param>
    /// <exception cref="TransientException">The registry is read-only (<see cref="ReadOnlyState"/>); nothing was written.</exception>
    public static async ValueTask<Revised> BumpAsync(Statements sql, long crateId, string kind, string? num, string? data = null)
    {
        var crate = await sql.FirstAsync(
            "UPDATE crates SET revision = revision + 1, updated_at = now_us() WHERE id = $1 RETURNING revision, name, (SELECT read_only FROM registry), place_id",
            static row => (Revision: row.Long(0), Name: row.Text(1), ReadOnly: !row.IsNull(2) && row.Bool(2), PlaceId: row.LongOrNull(3)),
            crateId).ConfigureAwait(false);
        // Every change but a publish comes by here, so none can forget the check.
        if (crate.ReadOnly) throw ReadOnlyState.Refused();
        var (shownBy, revision) = crate.PlaceId is { } place ? (place, await InPlaceAsync(sql, crateId, place).ConfigureAwait(false)) : (crateId, crate.Revision);
        var revised = await RecordAsync(sql, shownBy, revision, crate.Name, kind, num, data).ConfigureAwait(false);
        await sql.ExecuteAsync(
            """
            INSERT INTO projections (crate_id, kind, target, wanted, first_change, behind_since, rung_at) VALUES ($1, 'record', '', $2, $3, now_us(), now_us())
            """ + BehindSql,
            crateId, revised.Revision, revised.Change).ConfigureAwait(false);
        return revised;
    }

    /// <summary>
    /// The revision of a change of a crate whose name another row had first: that row's, since its projections show the name. One path of the
    /// index is thereby written by one projection alone, whichever of the crates is served.
    /// </summary>
    public static async ValueTask<long> InPlaceAsync(Statements sql, long crateId, long placeId)
    {
        ArgumentNullException.ThrowIfNull(sql);
        var revision = (await sql.LongAsync("UPDATE crates SET revision = revision + 1 WHERE id = $1 RETURNING revision", placeId).ConfigureAwait(false))!.Value;
        await sql.ExecuteAsync("UPDATE crates SET revision = $2 WHERE id = $1", crateId, revision).ConfigureAwait(false);
        return revision;
    }

    /// <summary>
    /// Appends the change of a revision that the caller's own statement has just set, and makes every projection want it. The change keeps
    /// the trace context it was made in: projections continue that trace.
    /// </summary>
    /// <param name="sql">The open transaction.</param>
    /// <param name="crateId">The crate.</param>
    /// <param name="revision">Its revision now.</param>
    /// <param name="name">Its name now.</param>
    /// <param name="kind">What happened.</param>
    /// <param name="num">The version it happened to, or null.</param>
    /// <param name="data">JSON by kind, or null.</param>
    /// <param name="acceptedAt">When the publish behind it was kept, microseconds; null: it is no publish.</param>
    public static async ValueTask<Revised> RecordAsync(Statements sql, long crateId, long revision, string name, string kind, string? num, string? data, long? acceptedAt = null)
    {
        var change = await sql.LongAsync(
            """
            INSERT INTO changes (at, kind, crate_id, revision, name, num, data, trace_parent, accepted_at)
            VALUES (now_us(), $1, $2, $3, $4, $5, $6, $7, $8) RETURNING id
            """,
            kind, crateId, revision, name, num, data, Activity.Current?.Id, acceptedAt).ConfigureAwait(false);
        await sql.ExecuteAsync(
            """
            INSERT INTO projections (crate_id, kind, target, wanted, first_change, behind_since, rung_at)
            VALUES ($1, 'git', '', $2, $3, now_us(), now_us()), ($1, 'sparse', '', $2, $3, now_us(), now_us())
            """ + BehindSql,
            crateId, revision, change).ConfigureAwait(false);
        return new Revised(crateId, revision, change!.Value);
    }

    /// <summary>
    /// Appends one change for many crates whose revisions the caller has set in this transaction, and makes every projection want them: what a
    /// bulk sync brings is not told crate by crate.
    /// </summary>
    /// <param name="sql">The open transaction.</param>
    /// <param name="crateIds">Rows that have projections; those without a row get one.</param>
    /// <param name="kind">What happened.</param>
    /// <param name="data">JSON by kind.</param>
    public static async ValueTask<long> RecordManyAsync(Statements sql, IReadOnlyList<long> crateIds, string kind, string data)
    {
        ArgumentNullException.ThrowIfNull(sql);
        ArgumentNullException.ThrowIfNull(crateIds);
        var change = (await sql.LongAsync(
            "INSERT INTO changes (at, kind, data, trace_parent) VALUES (now_us(), $1, $2, $3) RETURNING id", kind, data, Activity.Current?.Id).ConfigureAwait(false))!.Value;
        await sql.ExecuteAsync(
            $"""
            WITH ids (id) AS {sql.Dialect.TextList("$1")}
            INSERT INTO projections (crate_id, kind, target, wanted, first_change, behind_since)
            SELECT c.id, k.kind, '', c.revision, $2, now_us() FROM ids JOIN crates c ON c.id = CAST(ids.id AS BIGINT)
            CROSS JOIN (SELECT 'git' AS kind UNION ALL SELECT 'sparse') AS k WHERE TRUE
            {BehindSql}
            """,
            $"[{string.Join(',', crateIds)}]", change).ConfigureAwait(false);
        return change;
    }
}
