using Pipeline.Registry.Database;

namespace Pipeline.Registry.Truth;

/// <summary>
/// The right to work through a whole index: rebuild and reconcile, one at a time among all processes. What is rebuilt under the eyes of
/// reconcile would be full of differences.
/// </summary>
/// <param name="lease">Chooses the process.</param>
/// <param name="clock">Says when to renew it.</param>
public sealed class LongWork(Lease lease, TimeProvider clock) : IDisposable
{
    /// <summary>The name of the lease.</summary>
    public const string LeaseName = "long-work";

    private readonly SemaphoreSlim _turn = new(1, 1);

    /// <summary>Begins. Null: somebody is at it; the row still waits, and the sweep rings again.</summary>
    public async Task<Turn?> TryBeginAsync(CancellationToken cancellationToken)
    {
        if (!await _turn.WaitAsync(TimeSpan.Zero, cancellationToken).ConfigureAwait(false)) return null;
        try
        {
            if (await lease.TryTakeAsync(cancellationToken).ConfigureAwait(false)) return new Turn(_turn, new LeaseKeeper(lease, clock, cancellationToken));
        }
        catch
        {
            _turn.Release();
            throw;
        }

        _turn.Release();
        return null;
    }

    /// <summary>Claims the open rows of such work that nobody is at, for the sweep: never rung, rung before the time given, or due again after a failure.</summary>
    /// <param name="sql">The open transaction.</param>
    /// <param name="table">Where its rows are.</param>
    /// <param name="againAfter">How long a row that was rung is left alone, microseconds.</param>
    /// <param name="most">The most rows.</param>
    public static ValueTask<List<long>> ClaimAsync(Statements sql, string table, long againAfter, int most)
    {
        ArgumentNullException.ThrowIfNull(sql);
        return sql.QueryAsync(
            $"""
            WITH due AS MATERIALIZED (
                SELECT id FROM {table} WHERE finished_at IS NULL
                    AND ((next_try_at IS NULL AND (rung_at IS NULL OR rung_at < now_us() - $1)) OR (next_try_at <= now_us() AND (rung_at IS NULL OR rung_at < next_try_at)))
                ORDER BY id LIMIT $2{sql.Dialect.SkipLocked})
            UPDATE {table} SET rung_at = now_us() WHERE id IN (SELECT id FROM due) RETURNING id
            """,
            static row => row.Long(0), againAfter, (long)most);
    }

    /// <inheritdoc/>
    public void Dispose() => _turn.Dispose();

    /// <summary>The right while it is held.</summary>
    public sealed class Turn : IAsyncDisposable
    {
        private readonly SemaphoreSlim _turn;
        private readonly LeaseKeeper _keeper;

        internal Turn(SemaphoreSlim turn, LeaseKeeper keeper) => (_turn, _keeper) = (turn, keeper);

        /// <summary>Ends the work: the lease is lost, or the process goes down.</summary>
        public CancellationToken Stop => _keeper.Stop;

        /// <summary>Whether the lease was lost.</summary>
        public bool IsLost => _keeper.IsLost;

        /// <inheritdoc/>
        public async ValueTask DisposeAsync()
        {
            await _keeper.DisposeAsync().ConfigureAwait(false);
            _turn.Release();
        }
    }
}
