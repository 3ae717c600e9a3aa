using Pipeline.Registry.Cdn;
using Pipeline.Registry.Database;
using Pipeline.Registry.Truth;

namespace Pipeline.Workers.Cdn;

/// <summary>The statements of the CDN worker. A row is open, taken, and then confirmed or open again with its next try.</summary>
public sealed class DuePurges(ThisProcess process)
{
    /// <summary>Makes what failed at a target due now.</summary>
    public const string ResetSql =
        """
        UPDATE purges SET attempts = 0, due_at = CASE WHEN attempts > 0 THEN now_us() ELSE due_at END
        WHERE target = $1 AND confirmed_at IS NULL AND taken_at IS NULL
        """;

    /// <summary>Ends the time for which a target is left alone.</summary>
    public const string ResetTargetSql = "DELETE FROM cdn_targets WHERE name = $1";

    // Longer than a batch can take. A process that died is known sooner, by its row.
    private const long TakenFor = 300 * Microseconds.Second;

    /// <summary>A row that may be taken, where <c>$1</c> is <see cref="TakenFor"/>.</summary>
    private const string Free = "(taken_at IS NULL OR taken_at < now_us() - $1 OR NOT EXISTS (SELECT 1 FROM processes a WHERE a.id = purges.taken_by))";

    /// <summary>Whether any of some targets has something to do that is due.</summary>
    public static async ValueTask<bool> AnyAsync(Statements sql, IEnumerable<CdnTarget> targets)
    {
        ArgumentNullException.ThrowIfNull(sql);
        ArgumentNullException.ThrowIfNull(targets);
        foreach (var target in targets)
        {
            var due = await sql.LongAsync(
                $"""
                SELECT 1 FROM purges WHERE target = $2 AND confirmed_at IS NULL AND due_at <= now_us() AND {Free}
                    AND NOT EXISTS (SELECT 1 FROM cdn_targets t WHERE t.name = $2 AND t.next_try_at > now_us()) LIMIT 1
                """,
                TakenFor, target.Name).ConfigureAwait(false);
            if (due is not null) return true;
        }

        return false;
    }

    /// <summary>Takes what is due for a target, oldest first, unless the target is left alone for now.</summary>
    public async ValueTask<TakenBatch> TakeAsync(Statements sql, CdnTarget target)
    {
        ArgumentNullException.ThrowIfNull(sql);
        ArgumentNullException.ThrowIfNull(target);
        var now = await sql.NowAsync().ConfigureAwait(false);
        var state = await sql.FirstAsync("SELECT attempts, next_try_at FROM cdn_targets WHERE name = $1", static row => (row.Long(0), row.Long(1)), target.Name).ConfigureAwait(false);
        if (state.Item2 > now) return TakenBatch.Nothing;
        var rows = await sql.QueryAsync(
            $"""
            UPDATE purges SET taken_at = $5, taken_by = $3 WHERE id IN (
                SELECT id FROM purges WHERE target = $2 AND confirmed_at IS NULL AND due_at <= $5 AND {Free} ORDER BY due_at, id LIMIT $4{sql.Dialect.SkipLocked})
            RETURNING id, scope, value, cause, attempts, due_at, trace_parent
            """,
            static row => (DueAt: row.Long(5), Purge: new TakenPurge(
                new PurgeItem(row.Long(0), row.Text(1) == "key" ? PurgeScope.Key : PurgeScope.Url, row.Text(2), PurgeCauses.IsHard(row.Text(3))), row.Long(4), row.TextOrNull(6))),
            TakenFor, target.Name, process.Id, (long)target.BatchSize, now).ConfigureAwait(false);
        rows.Sort(static (one, other) => (one.DueAt, one.Purge.Item.Id).CompareTo((other.DueAt, other.Purge.Item.Id)));
        return new TakenBatch(now, rows.ConvertAll(static row => row.Purge), state.Item1);
    }

    /// <summary>Gives a purge back unsent.</summary>
    public ValueTask<int> ReleaseAsync(Statements sql, TakenBatch batch, PurgeItem item)
    {
        ArgumentNullException.ThrowIfNull(sql);
        ArgumentNullException.ThrowIfNull(batch);
        ArgumentNullException.ThrowIfNull(item);
        return sql.ExecuteAsync("UPDATE purges SET taken_at = NULL, taken_by = NULL WHERE id = $1 AND taken_by = $2 AND taken_at = $3", item.Id, process.Id, batch.TakenAt);
    }

    /// <summary>Puts a purge off after a failure.</summary>
    public ValueTask<int> DelayAsync(Statements sql, TakenBatch batch, PurgeItem item, string error, TimeSpan wait)
    {
        ArgumentNullException.ThrowIfNull(sql);
        ArgumentNullException.ThrowIfNull(batch);
        ArgumentNullException.ThrowIfNull(item);
        return sql.ExecuteAsync(
            """
            UPDATE purges SET taken_at = NULL, taken_by = NULL, attempts = attempts + 1, last_error = $4, due_at = now_us() + $5
            WHERE id = $1 AND taken_by = $2 AND taken_at = $3
            """,
            item.Id, process.Id, batch.TakenAt, error, Microseconds.Of(wait));
    }

    /// <summary>Notes that a fetch through the only cache there is showed the new content.</summary>
    public ValueTask<int> VerifiedAsync(Statements sql, TakenBatch batch, PurgeItem item)
    {
        ArgumentNullException.ThrowIfNull(sql);
        ArgumentNullException.ThrowIfNull(batch);
        ArgumentNullException.ThrowIfNull(item);
        return sql.ExecuteAsync("UPDATE purges SET outcome = 'verified' WHERE id = $1 AND taken_by = $2 AND taken_at = $3", item.Id, process.Id, batch.TakenAt);
    }

    /// <summary>
    /// Confirms whatever of a batch was neither given back nor put off. A key is purged again once a fetch that was under way meanwhile
    /// must have ended; while such a second purge waits it is moved on, since the first ones in between have covered it.
    /// </summary>
    public async ValueTask ConfirmAsync(Statements sql, CdnTarget target, TakenBatch batch)
    {
        ArgumentNullException.ThrowIfNull(sql);
        ArgumentNullException.ThrowIfNull(target);
        ArgumentNullException.ThrowIfNull(batch);
        if (target.SurrogateKeys)
        {
            var later = Microseconds.Of(TimeSpan.FromSeconds(target.OriginTimeoutSeconds));
            await sql.ExecuteAsync(
                """
                UPDATE purges SET due_at = now_us() + $4 WHERE target = $1 AND again AND confirmed_at IS NULL AND taken_at IS NULL
                    AND value IN (SELECT value FROM purges p WHERE p.target = $1 AND p.taken_by = $2 AND p.taken_at = $3 AND p.scope = 'key' AND NOT p.again AND p.confirmed_at IS NULL)
                """,
                target.Name, process.Id, batch.TakenAt, later).ConfigureAwait(false);
            await sql.ExecuteAsync(
                """
                INSERT INTO purges (target, scope, value, cause, crate_id, trace_parent, due_at, created_at, again)
                SELECT p.target, p.scope, p.value, p.cause, p.crate_id, p.trace_parent, now_us() + $4, now_us(), TRUE FROM purges p
                WHERE p.target = $1 AND p.taken_by = $2 AND p.taken_at = $3 AND p.scope = 'key' AND NOT p.again AND p.confirmed_at IS NULL
                    AND NOT EXISTS (SELECT 1 FROM purges o WHERE o.value = p.value AND o.target = $1 AND o.scope = 'key' AND o.again AND o.confirmed_at IS NULL AND o.taken_at IS NULL)
                """,
                target.Name, process.Id, batch.TakenAt, later).ConfigureAwait(false);
        }

        await sql.ExecuteAsync(
            """
            UPDATE purges SET confirmed_at = now_us(), outcome = COALESCE(outcome, 'accepted'), taken_at = NULL, taken_by = NULL
            WHERE target = $1 AND taken_by = $2 AND taken_at = $3 AND confirmed_at IS NULL
            """,
            target.Name, process.Id, batch.TakenAt).ConfigureAwait(false);
    }

    /// <summary>Leaves a target alone for a while.</summary>
    public static ValueTask<int> HoldAsync(Statements sql, CdnTarget target, string error, TimeSpan wait)
    {
        ArgumentNullException.ThrowIfNull(sql);
        ArgumentNullException.ThrowIfNull(target);
        return sql.ExecuteAsync(
            """
            INSERT INTO cdn_targets (name, attempts, last_error, next_try_at) VALUES ($1, 1, $2, now_us() + $3)
            ON CONFLICT (name) DO UPDATE SET attempts = cdn_targets.attempts + 1, last_error = excluded.last_error, next_try_at = excluded.next_try_at
            """,
            target.Name, error, Microseconds.Of(wait));
    }

    /// <summary>A target answers again.</summary>
    public static ValueTask<int> WelcomeAsync(Statements sql, CdnTarget target)
    {
        ArgumentNullException.ThrowIfNull(sql);
        ArgumentNullException.ThrowIfNull(target);
        return sql.ExecuteAsync("DELETE FROM cdn_targets WHERE name = $1", target.Name);
    }

    /// <summary>Whether any purge of a target waits after a failure.</summary>
    public static async ValueTask<bool> AnyFailedAsync(Statements sql, CdnTarget target)
    {
        ArgumentNullException.ThrowIfNull(sql);
        ArgumentNullException.ThrowIfNull(target);
        return await sql.LongAsync("SELECT 1 FROM purges WHERE target = $1 AND confirmed_at IS NULL AND attempts > 0 LIMIT 1", target.Name).ConfigureAwait(false) is not null;
    }

    /// <summary>Forgets purges confirmed long ago.</summary>
    public static ValueTask<int> ForgetAsync(Statements sql, TimeSpan keep)
    {
        ArgumentNullException.ThrowIfNull(sql);
        return sql.ExecuteAsync("DELETE FROM purges WHERE id IN (SELECT id FROM purges WHERE confirmed_at < (SELECT now_us()) - $1 LIMIT 10000)", Microseconds.Of(keep));
    }
}
