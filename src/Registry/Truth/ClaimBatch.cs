using System.Globalization;
using System.Text;
using Pipeline.Registry.Database;
using Pipeline.Registry.Faults;

namespace Pipeline.Registry.Truth;

/// <summary>A claim whose rendering stands outside, about to be closed.</summary>
/// <param name="Claim">The claim, at the revision that was rendered.</param>
/// <param name="Path">Where it stands now; null: nowhere.</param>
/// <param name="Allowed">
/// The highest revision that others may have claimed: the claim's own, or that of renderers known to have begun after this one had written.
/// </param>
public sealed record Rendered(Claim Claim, string? Path, long Allowed);

/// <summary>The protocol of <see cref="Claims"/> for many crates at a time: a statement a step, not a statement a crate.</summary>
public static class ClaimBatch
{
    private static readonly (string, string)[] OpenColumns = [("claim", "TEXT"), ("crate_id", "BIGINT"), ("revision", "BIGINT")];
    private static readonly (string, string)[] CloseColumns = [("crate_id", "BIGINT"), ("revision", "BIGINT"), ("allowed", "BIGINT"), ("path", "TEXT")];
    private static readonly (string, string)[] ShownColumns = [("crate_id", "BIGINT"), ("revision", "BIGINT"), ("first_change", "BIGINT")];

    /// <summary>Claims those of some crates that are behind, or that a dead renderer left open, by crate.</summary>
    /// <param name="sql">The open transaction.</param>
    /// <param name="crateIds">The crates, each once.</param>
    /// <param name="kind">The projection.</param>
    /// <param name="process">This process.</param>
    /// <param name="forced">Whether all are claimed: what their rows say they show is not believed.</param>
    public static async ValueTask<Dictionary<long, Claim>> OpenAsync(Statements sql, IReadOnlyCollection<long> crateIds, string kind, string process, bool forced = false)
    {
        ArgumentNullException.ThrowIfNull(sql);
        ArgumentNullException.ThrowIfNull(crateIds);
        var states = await sql.QueryAsync(
            $"""
            WITH ids (id) AS {sql.Dialect.TextList("$1")}
            SELECT p.crate_id, p.wanted, p.reached < p.wanted, p.path,
                EXISTS (SELECT 1 FROM claims c WHERE c.crate_id = p.crate_id AND c.kind = $2 AND c.target = '' AND {Claims.LeftOpen("c")}),
                p.reached, p.first_change, h.trace_parent, h.accepted_at, now_us()
            FROM ids JOIN projections p ON p.crate_id = CAST(ids.id AS BIGINT) AND p.kind = $2 AND p.target = '' LEFT JOIN changes h ON h.id = p.first_change
            """,
            static row => (
                CrateId: row.Long(0), Wanted: row.Long(1), Path: row.TextOrNull(3), LeftOpen: row.Bool(4),
                Lack: row.Bool(2) ? new Lack(row.Long(5), row.Long(6), new Cause(row.TextOrNull(7), row.LongOrNull(8)), row.Long(9)) : null),
            Ids(crateIds), kind).ConfigureAwait(false);
        var claims = states.Where(state => state.Lack is not null || state.LeftOpen || forced)
            .ToDictionary(static state => state.CrateId, state => new Claim(Guid.CreateVersion7().ToString(), state.CrateId, kind, state.Wanted, state.Path, state.Lack));
        if (claims.Count > 0) await InsertAsync(sql, claims.Values, kind, process).ConfigureAwait(false);
        return claims;
    }

    /// <summary>Closes claims after the outside shows their revisions (<see cref="Claims.CloseAsync"/>), by crate.</summary>
    public static async ValueTask<Dictionary<long, Closed>> CloseAsync(Statements sql, IReadOnlyList<Rendered> rendered, string kind, string process)
    {
        ArgumentNullException.ThrowIfNull(sql);
        ArgumentNullException.ThrowIfNull(rendered);
        var stood = (await sql.QueryAsync(
            $"DELETE FROM claims WHERE id IN {sql.Dialect.TextList("$1")} RETURNING id", static row => row.Text(0), JsonTexts.Write(rendered.Select(static one => one.Claim.Id))).ConfigureAwait(false)).ToHashSet(StringComparer.Ordinal);
        var (closed, causes) = (new Dictionary<long, Closed>(rendered.Count), new Dictionary<long, IReadOnlyList<Cause>>(rendered.Count));
        foreach (var (claim, _, _) in rendered) causes[claim.CrateId] = await CausesAsync(sql, claim).ConfigureAwait(false);

        var mine = rendered.Where(one => stood.Contains(one.Claim.Id)).ToList();
        var shown = mine.Count == 0 ? [] : await ShowAsync(sql, mine, kind).ConfigureAwait(false);
        foreach (var crateId in shown) closed[crateId] = new Closed(null, causes[crateId]);
        if (shown.Count > 0) await NoteAsync(sql, mine.Where(one => shown.Contains(one.Claim.CrateId)), kind).ConfigureAwait(false);
        foreach (var (claim, path, _) in rendered.Where(one => !shown.Contains(one.Claim.CrateId)))
            closed[claim.CrateId] = new Closed(await Claims.ClaimAgainAsync(sql, claim, path, process).ConfigureAwait(false), []);
        return closed;
    }

    /// <summary>Renderings failed: their claims stay, for what they may have written, and belong to nobody.</summary>
    public static ValueTask<int> AbandonAsync(Statements sql, IEnumerable<Claim> claims)
    {
        ArgumentNullException.ThrowIfNull(sql);
        return sql.ExecuteAsync($"UPDATE claims SET process = '' WHERE id IN {sql.Dialect.TextList("$1")}", JsonTexts.Write(claims.Select(static claim => claim.Id)));
    }

    private static async ValueTask InsertAsync(Statements sql, IReadOnlyCollection<Claim> claims, string kind, string process)
    {
        var rows = RowsOf(claims, static (text, claim) => text.Append(CultureInfo.InvariantCulture, $"[\"{claim.Id}\",{claim.CrateId},{claim.Revision}]"));
        await sql.ExecuteAsync(
            $"""
            UPDATE projections SET claimed = r.revision FROM {sql.Dialect.Rows("$1", OpenColumns)} r
            WHERE projections.crate_id = r.crate_id AND projections.kind = $2 AND projections.target = '' AND projections.claimed < r.revision
            """,
            rows, kind).ConfigureAwait(false);
        await sql.ExecuteAsync(
            $"""
            INSERT INTO claims (id, crate_id, kind, target, revision, process, claimed_at)
            SELECT r.claim, r.crate_id, $2, '', r.revision, $3, now_us() FROM {sql.Dialect.Rows("$1", OpenColumns)} r
            """,
            rows, kind, process).ConfigureAwait(false);
    }

    // Nearly always one change, whose cause came with the claim.
    private static async ValueTask<IReadOnlyList<Cause>> CausesAsync(Statements sql, Claim claim) => claim.Lack switch
    {
        null => [],
        { } lack when lack.Reached + 1 >= claim.Revision => [lack.Cause],
        { } lack => await Cause.BetweenAsync(sql, claim.CrateId, claim.Kind, lack.FirstChange, claim.Revision).ConfigureAwait(false),
    };

    // A change committed while this waited for the row is not seen by the inner query: then the older place in the order is kept. A renderer
    // that began later and was faster has noted its own path.
    private static async ValueTask<HashSet<long>> ShowAsync(Statements sql, List<Rendered> mine, string kind)
    {
        var text = new StringBuilder("[");
        foreach (var (claim, path, allowed) in mine)
        {
            text.Append(CultureInfo.InvariantCulture, $"[{claim.CrateId},{claim.Revision},{allowed},");
            // A path of the index has only letters, digits and / _ -.
            text.Append(path is null ? "null" : $"\"{path}\"").Append("],");
        }

        text[^1] = ']';
        var condition = PlantedBugs.UnfencedRender ? "" : "AND projections.claimed <= r.allowed";
        var shown = await sql.QueryAsync(
            $"""
            UPDATE projections SET
                reached = CASE WHEN reached < r.revision THEN r.revision ELSE reached END, reached_at = now_us(), path = CASE WHEN reached > r.revision THEN projections.path ELSE r.path END,
                first_change = CASE WHEN r.revision >= wanted THEN first_change
                    ELSE COALESCE((SELECT min(h.id) FROM changes h WHERE h.crate_id = projections.crate_id AND h.id > projections.first_change AND h.revision > r.revision), first_change) END,
                behind_since = CASE WHEN r.revision >= wanted THEN NULL ELSE behind_since END,
                attempts = 0, last_error = NULL, next_try_at = NULL
            FROM {sql.Dialect.Rows("$1", CloseColumns)} r
            WHERE projections.crate_id = r.crate_id AND projections.kind = $2 AND projections.target = '' {condition}
            RETURNING projections.crate_id
            """,
            static row => row.Long(0), text.ToString(), kind).ConfigureAwait(false);
        return [.. shown];
    }

    private static async ValueTask NoteAsync(Statements sql, IEnumerable<Rendered> shown, string kind)
    {
        var all = shown.Select(static one => one.Claim).ToList();
        // What was just written is newer than anything a dead renderer can have left.
        await sql.ExecuteAsync(
            $"DELETE FROM claims WHERE kind = $2 AND target = '' AND crate_id IN (SELECT CAST(t.id AS BIGINT) FROM (WITH ids (id) AS {sql.Dialect.TextList("$1")} SELECT id FROM ids) t) AND {Claims.LeftOpen("claims")}",
            Ids(all.Select(static claim => claim.CrateId)), kind).ConfigureAwait(false);
        var behind = all.FindAll(static claim => claim.Lack is not null);
        if (kind != ProjectionKinds.Sparse || behind.Count == 0) return;
        var rows = RowsOf(behind, static (text, claim) => text.Append(CultureInfo.InvariantCulture, $"[{claim.CrateId},{claim.Revision},{claim.Lack!.FirstChange}]"));
        await sql.ExecuteAsync(
            $"""
            UPDATE changes SET sparse_at = now_us() FROM {sql.Dialect.Rows("$1", ShownColumns)} r
            WHERE changes.crate_id = r.crate_id AND changes.id >= r.first_change AND changes.revision <= r.revision AND changes.sparse_at IS NULL
            """,
            rows).ConfigureAwait(false);
    }

    private static string Ids(IEnumerable<long> ids) => $"[{string.Join(',', ids)}]";

    private static string RowsOf(IEnumerable<Claim> claims, Action<StringBuilder, Claim> write)
    {
        var text = new StringBuilder("[");
        foreach (var claim in claims)
        {
            if (text.Length > 1) text.Append(',');
            write(text, claim);
        }

        return text.Append(']').ToString();
    }
}
