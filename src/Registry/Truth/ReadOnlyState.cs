using Pipeline.Registry.Database;
using Pipeline.Registry.Failures;

namespace Pipeline.Registry.Truth;

/// <summary>
/// A registry that was restored takes no writes until a reconcile run found nothing: publishes, yanks, owner changes and deletions are
/// refused, index and downloads go on (design, section 3 "Recovery"). Accounts and tokens can be made meanwhile.
/// </summary>
public static class ReadOnlyState
{
    /// <summary>What whoever writes is told.</summary>
    public const string Text = "the registry was restored and is read-only until it has been reconciled; try again later";

    /// <summary>The refusal, a 503 over HTTP.</summary>
    public static TransientException Refused() => new("read-only", Text);

    /// <summary>Whether it takes no writes.</summary>
    public static async ValueTask<bool> IsOnAsync(Statements sql)
    {
        ArgumentNullException.ThrowIfNull(sql);
        return await sql.LongAsync("SELECT 1 FROM registry WHERE read_only").ConfigureAwait(false) is not null;
    }

    /// <summary>Begins a new epoch, read-only: cursors of the one before mean nothing any more.</summary>
    /// <returns>The epoch.</returns>
    public static async ValueTask<string> BeginEpochAsync(Statements sql, string reason)
    {
        ArgumentNullException.ThrowIfNull(sql);
        var epoch = Guid.CreateVersion7().ToString();
        await sql.ExecuteAsync(
            """
            INSERT INTO registry (id, epoch, read_only, read_only_reason, read_only_since, created_at) VALUES (1, $1, TRUE, $2, now_us(), now_us())
            ON CONFLICT (id) DO UPDATE SET epoch = excluded.epoch, read_only = excluded.read_only, read_only_reason = excluded.read_only_reason, read_only_since = excluded.read_only_since
            """,
            epoch, reason).ConfigureAwait(false);
        return epoch;
    }

    /// <summary>Takes writes again. Returns whether it did not before.</summary>
    public static async ValueTask<bool> EndAsync(Statements sql)
    {
        ArgumentNullException.ThrowIfNull(sql);
        return await sql.ExecuteAsync("UPDATE registry SET read_only = FALSE, read_only_reason = NULL, read_only_since = NULL WHERE read_only").ConfigureAwait(false) == 1;
    }

    /// <summary>
    /// Takes writes again when the newest reconcile run that began since is done, left no difference open and met no crate under way. Returns
    /// whether it did not before.
    /// </summary>
    public static async ValueTask<bool> EndWhenReconciledAsync(Statements sql)
    {
        ArgumentNullException.ThrowIfNull(sql);
        return await sql.ExecuteAsync(
            """
            UPDATE registry SET read_only = FALSE, read_only_reason = NULL, read_only_since = NULL
            WHERE read_only AND EXISTS (
                SELECT 1 FROM reconcile_runs r WHERE r.state = 'done' AND r.differences_open = 0 AND r.in_flight = 0 AND r.started_at >= registry.read_only_since
                    AND NOT EXISTS (SELECT 1 FROM reconcile_runs n WHERE n.id > r.id AND n.finished_at IS NOT NULL))
            """).ConfigureAwait(false) == 1;
    }
}
