using Pipeline.Registry.Database;
using Pipeline.Registry.Options;
using Pipeline.Registry.Truth;
using Pipeline.Workers.Mail;

namespace Pipeline.Workers.Upkeep;

/// <summary>
/// The queries of the sweep. Claiming a row stamps it as rung, so that the next sweep leaves it alone for a while; two sweeps at once take
/// different rows. They are chosen once, before any is stamped: chosen anew for each, more than asked for would be.
/// </summary>
public sealed class WaitingRows(WorkerOptions options)
{
    // A row put off after a failure is due at its next try; then, as any other, some time after its last bell, which may have been lost.
    private const string Due = "(next_try_at IS NULL OR next_try_at <= now_us()) AND (rung_at IS NULL OR rung_at < next_try_at OR rung_at < now_us() - $1)";

    // Longer than a worker's calls to the store can take, shorter than the longest wait between two tries.
    private const long LongestStoring = 300 * Microseconds.Second;

    private readonly long _again = Microseconds.Of(TimeSpan.FromSeconds(options.RingAgainSeconds));

    /// <summary>Claims publishes that wait in a state, oldest first.</summary>
    public async ValueTask<List<string>> PublishesAsync(Statements sql, string state, int most)
    {
        ArgumentNullException.ThrowIfNull(sql);
        var ids = await sql.QueryAsync(
            $"""
            WITH due AS MATERIALIZED (
                SELECT id FROM publishes WHERE state = $2 AND decided_at IS NULL AND {Due} ORDER BY id LIMIT $3{sql.Dialect.SkipLocked})
            UPDATE publishes SET rung_at = now_us() WHERE id IN (SELECT id FROM due)
            RETURNING id
            """,
            static row => row.Text(0), _again, state, (long)most).ConfigureAwait(false);
        ids.Sort(StringComparer.Ordinal);
        return ids;
    }

    /// <summary>Claims crates whose sparse file is behind, in the order of their oldest lacking change, and those a renderer left open that died or failed.</summary>
    public async ValueTask<List<long>> SparseAsync(Statements sql, int most)
    {
        ArgumentNullException.ThrowIfNull(sql);
        var crates = await BehindAsync(sql, ProjectionKinds.Sparse, most).ConfigureAwait(false);
        // One by one, since they are few: in one statement with the claims PostgreSQL reads all projections.
        var leftOpen = await sql.QueryAsync(
            $"SELECT DISTINCT c.crate_id FROM claims c WHERE c.kind = 'sparse' AND c.target = '' AND {Claims.LeftOpen("c")} LIMIT $1", static row => row.Long(0), (long)(most - crates.Count)).ConfigureAwait(false);
        foreach (var crate in leftOpen)
        {
            var claimed = await sql.ExecuteAsync(
                $"UPDATE projections SET rung_at = now_us() WHERE crate_id = $2 AND kind = 'sparse' AND target = '' AND {Due}", _again, crate).ConfigureAwait(false);
            if (claimed == 1) crates.Add(crate);
        }

        return crates;
    }

    /// <summary>Claims crates whose own record is behind, in the order of their oldest lacking change.</summary>
    public ValueTask<List<long>> RecordsAsync(Statements sql, int most)
    {
        ArgumentNullException.ThrowIfNull(sql);
        return BehindAsync(sql, ProjectionKinds.Record, most);
    }

    private async ValueTask<List<long>> BehindAsync(Statements sql, string kind, int most)
    {
        var rows = await sql.QueryAsync(
            $"""
            WITH due AS MATERIALIZED (
                SELECT crate_id FROM projections WHERE kind = $3 AND target = '' AND reached < wanted AND {Due} ORDER BY first_change LIMIT $2{sql.Dialect.SkipLocked})
            UPDATE projections SET rung_at = now_us() WHERE kind = $3 AND target = '' AND crate_id IN (SELECT crate_id FROM due)
            RETURNING first_change, crate_id
            """,
            static row => (Change: row.Long(0), CrateId: row.Long(1)), _again, (long)most, kind).ConfigureAwait(false);
        rows.Sort();
        return rows.ConvertAll(static row => row.CrateId);
    }

    /// <summary>Claims crates with bytes to delete whose serving projections have passed the deletion.</summary>
    public ValueTask<List<long>> DeletionsAsync(Statements sql, int most)
    {
        ArgumentNullException.ThrowIfNull(sql);
        return sql.QueryAsync(
            $"""
            WITH due AS MATERIALIZED (
                SELECT id FROM deletions d WHERE done_at IS NULL AND {Due}
                    AND NOT EXISTS (SELECT 1 FROM projections p WHERE p.crate_id = COALESCE((SELECT c.place_id FROM crates c WHERE c.id = d.crate_id), d.crate_id) AND p.reached < d.revision)
                ORDER BY id LIMIT $2{sql.Dialect.SkipLocked})
            UPDATE deletions SET rung_at = now_us() WHERE id IN (SELECT id FROM due)
            RETURNING crate_id
            """,
            static row => row.Long(0), _again, (long)most);
    }

    /// <summary>Claims rebuilds that nobody is at.</summary>
    public ValueTask<List<long>> RebuildsAsync(Statements sql, int most) => RebuildRows.ClaimAsync(sql, _again, most);

    /// <summary>Claims upstreams whose next sync is due.</summary>
    public ValueTask<List<string>> UpstreamsAsync(Statements sql, int most)
    {
        ArgumentNullException.ThrowIfNull(sql);
        return sql.QueryAsync(
            $"""
            WITH due AS MATERIALIZED (
                SELECT name FROM upstreams WHERE (next_try_at IS NULL OR next_try_at <= now_us()) AND (rung_at IS NULL OR rung_at < now_us() - $1)
                ORDER BY name LIMIT $2{sql.Dialect.SkipLocked})
            UPDATE upstreams SET rung_at = now_us() WHERE name IN (SELECT name FROM due)
            RETURNING name
            """,
            static row => row.Text(0), _again, (long)most);
    }

    /// <summary>Claims mails that were not sent.</summary>
    public ValueTask<List<long>> MailsAsync(Statements sql, int most) => MailRows.ClaimAsync(sql, _again, most);

    /// <summary>Claims runs of reconcile that nobody is at.</summary>
    public ValueTask<List<long>> ReconcilesAsync(Statements sql, int most) => ReconcileRuns.ClaimAsync(sql, _again, most);

    /// <summary>Whether the git writer has anything to do that is due: crates that lag, or a remote that is to be tried again.</summary>
    public static async ValueTask<bool> GitIsBehindAsync(Statements sql)
    {
        ArgumentNullException.ThrowIfNull(sql);
        return await sql.LongAsync(
            $"""
            SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM git_index WHERE next_try_at > now_us()) AND (
                EXISTS (SELECT 1 FROM git_index WHERE next_try_at IS NOT NULL)
                OR (SELECT first_change FROM projections WHERE kind = '{ProjectionKinds.Git}' AND target = '' AND reached < wanted AND (next_try_at IS NULL OR next_try_at <= now_us())
                    ORDER BY first_change LIMIT 1) IS NOT NULL)
            """).ConfigureAwait(false) is not null;
    }

    /// <summary>
    /// Publishes past their deadline. One that took its reservation a moment ago is left alone: its worker may be writing the final bytes, and
    /// were the version free for another, those could land on the other's.
    /// </summary>
    public static ValueTask<List<string>> OverdueAsync(Statements sql)
    {
        ArgumentNullException.ThrowIfNull(sql);
        return sql.QueryAsync(
            """
            SELECT id FROM publishes p WHERE decided_at IS NULL AND state IN ('parked', 'checked') AND deadline_at < now_us()
                AND NOT EXISTS (SELECT 1 FROM reservations r WHERE r.holder = p.id AND r.reserved_at > now_us() - $1)
            ORDER BY id LIMIT 500
            """,
            static row => row.Text(0), LongestStoring);
    }

    /// <summary>Forgets every bell: at the start of a process that is alone on its database, none of them exists any more.</summary>
    public static async ValueTask ForgetBellsAsync(IDatabase database)
    {
        ArgumentNullException.ThrowIfNull(database);
        await database.WriteAsync(static async sql =>
        {
            await sql.ExecuteAsync("UPDATE publishes SET rung_at = NULL WHERE decided_at IS NULL AND rung_at IS NOT NULL").ConfigureAwait(false);
            await sql.ExecuteAsync("UPDATE projections SET rung_at = NULL WHERE reached < wanted AND rung_at IS NOT NULL").ConfigureAwait(false);
            await sql.ExecuteAsync("UPDATE reconcile_runs SET rung_at = NULL WHERE finished_at IS NULL AND rung_at IS NOT NULL").ConfigureAwait(false);
            await sql.ExecuteAsync("UPDATE rebuilds SET rung_at = NULL WHERE finished_at IS NULL AND rung_at IS NOT NULL").ConfigureAwait(false);
            await sql.ExecuteAsync("UPDATE upstreams SET rung_at = NULL WHERE rung_at IS NOT NULL").ConfigureAwait(false);
            await sql.ExecuteAsync("UPDATE mails SET rung_at = NULL WHERE sent_at IS NULL AND rung_at IS NOT NULL").ConfigureAwait(false);
            return await sql.ExecuteAsync("UPDATE deletions SET rung_at = NULL WHERE done_at IS NULL AND rung_at IS NOT NULL").ConfigureAwait(false);
        }).ConfigureAwait(false);
    }
}
