using System.Globalization;
using Pipeline.Registry.Database;
using Pipeline.Registry.Faults;

namespace Pipeline.Registry.Truth;

/// <summary>A renderer's claim on a projection.</summary>
/// <param name="Id">The claim's own id.</param>
/// <param name="CrateId">The crate.</param>
/// <param name="Kind">The projection's kind.</param>
/// <param name="Revision">The revision it is for: what was wanted when it was set, or what was read since (<see cref="Claims.RaiseAsync"/>).</param>
/// <param name="Path">Where the projection was rendered last; null: nowhere yet.</param>
/// <param name="Lack">What the projection lacked then; null: nothing, a dead renderer's work is done again.</param>
public sealed record Claim(string Id, long CrateId, string Kind, long Revision, string? Path, Lack? Lack);

/// <summary>What closing a claim came to.</summary>
/// <param name="Again">The claim to render again under; null: closed.</param>
/// <param name="Shown">The causes of the changes that the projection shows now and did not before, oldest first.</param>
public sealed record Closed(Claim? Again, IReadOnlyList<Cause> Shown);

/// <summary>The changes that a projection lacked when it was claimed.</summary>
/// <param name="Reached">The revision it showed.</param>
/// <param name="FirstChange">The oldest change it lacked.</param>
/// <param name="Cause">What that change was caused by.</param>
/// <param name="At">When this was read, by the database's clock in microseconds.</param>
public sealed record Lack(long Reached, long FirstChange, Cause Cause, long At);

/// <summary>
/// The protocol of renderers that write outside without a lock (design, law 4). A renderer sets a durable claim before it writes and
/// closes it afterwards; it has closed only if nobody claimed a higher revision meanwhile, else it must render again. So whoever
/// writes last has seen the newest, even when it slept between rendering and writing and the newer bytes equal older ones.
/// </summary>
public static class Claims
{
    // A change committed while this waited for the row is not seen by the inner query: then the older place in the order is kept.
    private const string ShowSql =
        """
        UPDATE projections SET
            reached = CASE WHEN reached < $3 THEN $3 ELSE reached END, reached_at = now_us(), path = $4,
            first_change = CASE WHEN $3 >= wanted THEN first_change ELSE COALESCE((SELECT min(h.id) FROM changes h WHERE h.crate_id = $1 AND h.id > projections.first_change AND h.revision > $3), first_change) END,
            behind_since = CASE WHEN $3 >= wanted THEN NULL ELSE behind_since END,
            attempts = 0, last_error = NULL, next_try_at = NULL
        WHERE crate_id = $1 AND kind = $2 AND target = '' AND claimed <= $3
        """;

    // Longer than a rendering takes. One that takes longer all the same finds its claim gone and renders again.
    private const long RenderedWithin = 60 * Microseconds.Second;

    /// <summary>
    /// Says of a claim, in SQL, that nobody works under it any more: its process is dead, or its rendering failed and could not take it back. What
    /// was written under it may arrive late, so its crate is rendered once more.
    /// </summary>
    /// <param name="claim">The row's name in the statement.</param>
    public static string LeftOpen(string claim) =>
        string.Create(CultureInfo.InvariantCulture, $"(NOT EXISTS (SELECT 1 FROM processes a WHERE a.id = {claim}.process) OR {claim}.claimed_at < now_us() - {RenderedWithin})");

    /// <summary>A rendering failed: its claim stays, for what it may have written, and belongs to nobody.</summary>
    public static ValueTask<int> AbandonAsync(Statements sql, Claim claim)
    {
        ArgumentNullException.ThrowIfNull(sql);
        ArgumentNullException.ThrowIfNull(claim);
        return sql.ExecuteAsync("UPDATE claims SET process = '' WHERE id = $1", claim.Id);
    }

    /// <summary>Claims a projection, or returns null when it shows the newest revision and no dead renderer left a claim behind.</summary>
    /// <param name="sql">The open transaction.</param>
    /// <param name="crateId">The crate.</param>
    /// <param name="kind">The projection.</param>
    /// <param name="process">This process.</param>
    /// <param name="forced">Whether it is claimed all the same: what its row says it shows is not believed.</param>
    public static async ValueTask<Claim?> OpenAsync(Statements sql, long crateId, string kind, string process, bool forced = false)
    {
        ArgumentNullException.ThrowIfNull(sql);
        var state = await sql.FirstAsync(
            $"""
            SELECT p.wanted, p.reached < p.wanted, p.path,
                EXISTS (SELECT 1 FROM claims c WHERE c.crate_id = $1 AND c.kind = $2 AND c.target = '' AND {LeftOpen("c")}),
                p.reached, p.first_change, h.trace_parent, h.accepted_at, now_us()
            FROM projections p LEFT JOIN changes h ON h.id = p.first_change WHERE p.crate_id = $1 AND p.kind = $2 AND p.target = ''
            """,
            static row => new State(
                row.Long(0), row.TextOrNull(2), row.Bool(3),
                row.Bool(1) ? new Lack(row.Long(4), row.Long(5), new Cause(row.TextOrNull(6), row.LongOrNull(7)), row.Long(8)) : null),
            crateId, kind).ConfigureAwait(false);
        return state is null || (state.Lack is null && !state.LeftOpen && !forced)
            ? null
            : await InsertAsync(sql, crateId, kind, process, state.Wanted, state.Path, state.Lack).ConfigureAwait(false);
    }

    /// <summary>
    /// Raises a claim to the revision that was read and is about to be written. A renderer that writes more than it claimed could be
    /// followed by one that writes what was claimed, and both would close.
    /// </summary>
    public static async ValueTask<Claim> RaiseAsync(Statements sql, Claim claim, long revision)
    {
        ArgumentNullException.ThrowIfNull(sql);
        ArgumentNullException.ThrowIfNull(claim);
        if (revision <= claim.Revision) return claim;
        await ClaimAsync(sql, claim.CrateId, claim.Kind, revision).ConfigureAwait(false);
        await sql.ExecuteAsync("UPDATE claims SET revision = $2 WHERE id = $1", claim.Id, revision).ConfigureAwait(false);
        return claim with { Revision = revision };
    }

    /// <summary>
    /// Closes a claim after the outside shows its revision. It is not closed when somebody claimed a higher revision meanwhile, or a sweep
    /// took this renderer for dead: what was written may stand over newer bytes, so render again under the claim returned.
    /// </summary>
    /// <param name="sql">The open transaction.</param>
    /// <param name="claim">The claim.</param>
    /// <param name="path">Where it stands now; null: nowhere.</param>
    /// <param name="process">This process.</param>
    public static async ValueTask<Closed> CloseAsync(Statements sql, Claim claim, string? path, string process)
    {
        ArgumentNullException.ThrowIfNull(sql);
        ArgumentNullException.ThrowIfNull(claim);
        var stood = await sql.ExecuteAsync("DELETE FROM claims WHERE id = $1", claim.Id).ConfigureAwait(false) == 1;
        if (PlantedBugs.UnfencedRender)
        {
            await sql.ExecuteAsync("UPDATE projections SET reached = wanted, path = $3 WHERE crate_id = $1 AND kind = $2 AND target = ''", claim.CrateId, claim.Kind, path).ConfigureAwait(false);
            return new Closed(null, []);
        }

        if (stood && await ShowAsync(sql, claim, path).ConfigureAwait(false) is { } shown)
        {
            // What was just written is newer than anything a dead renderer can have left.
            await sql.ExecuteAsync(
                $"DELETE FROM claims WHERE crate_id = $1 AND kind = $2 AND target = '' AND {LeftOpen("claims")}",
                claim.CrateId, claim.Kind).ConfigureAwait(false);
            return new Closed(null, shown);
        }

        return new Closed(await ClaimAgainAsync(sql, claim, path, process).ConfigureAwait(false), []);
    }

    /// <summary>A new claim for a renderer that was overtaken, or taken for dead: what it wrote may stand over newer bytes.</summary>
    internal static async ValueTask<Claim> ClaimAgainAsync(Statements sql, Claim claim, string? path, string process)
    {
        var wanted = await sql.LongAsync("SELECT wanted FROM projections WHERE crate_id = $1 AND kind = $2 AND target = ''", claim.CrateId, claim.Kind).ConfigureAwait(false);
        return await InsertAsync(sql, claim.CrateId, claim.Kind, process, wanted!.Value, path, claim.Lack).ConfigureAwait(false);
    }

    /// <summary>Notes what the projection shows now. Returns the causes of the changes that it did not show before; null: a higher revision was claimed meanwhile.</summary>
    private static async ValueTask<IReadOnlyList<Cause>?> ShowAsync(Statements sql, Claim claim, string? path)
    {
        // Nearly always one change, whose cause came with the claim. Otherwise another renderer may have shown some of them since.
        var shown = claim.Lack switch
        {
            null => [],
            { } lack when lack.Reached + 1 == claim.Revision => [lack.Cause],
            { } lack => await Cause.BetweenAsync(sql, claim.CrateId, claim.Kind, lack.FirstChange, claim.Revision).ConfigureAwait(false),
        };
        if (await sql.ExecuteAsync(ShowSql + " AND reached < $3", claim.CrateId, claim.Kind, claim.Revision, path).ConfigureAwait(false) == 1) return shown;
        return await sql.ExecuteAsync(ShowSql, claim.CrateId, claim.Kind, claim.Revision, path).ConfigureAwait(false) == 1 ? [] : null;
    }

    /// <summary>
    /// Whether anybody else has a claim open: at work, failed on the way, or dead. What they wrote may be what a renderer finds there already,
    /// and nobody has told the caches yet.
    /// </summary>
    public static async ValueTask<bool> OthersAsync(Statements sql, Claim claim)
    {
        ArgumentNullException.ThrowIfNull(sql);
        ArgumentNullException.ThrowIfNull(claim);
        return await sql.LongAsync(
            "SELECT 1 FROM claims WHERE crate_id = $1 AND kind = $2 AND target = '' AND id <> $3 LIMIT 1", claim.CrateId, claim.Kind, claim.Id).ConfigureAwait(false) is not null;
    }

    private static async ValueTask<Claim> InsertAsync(Statements sql, long crateId, string kind, string process, long revision, string? path, Lack? lack)
    {
        var id = Guid.CreateVersion7().ToString();
        await ClaimAsync(sql, crateId, kind, revision).ConfigureAwait(false);
        await sql.ExecuteAsync(
            "INSERT INTO claims (id, crate_id, kind, target, revision, process, claimed_at) VALUES ($1, $2, $3, '', $4, $5, now_us())",
            id, crateId, kind, revision, process).ConfigureAwait(false);
        return new Claim(id, crateId, kind, revision, path, lack);
    }

    private static ValueTask<int> ClaimAsync(Statements sql, long crateId, string kind, long revision) => sql.ExecuteAsync(
        "UPDATE projections SET claimed = CASE WHEN claimed < $3 THEN $3 ELSE claimed END WHERE crate_id = $1 AND kind = $2 AND target = ''",
        crateId, kind, revision);

    private sealed record State(long Wanted, string? Path, bool LeftOpen, Lack? Lack);
}
