using Pipeline.Registry.Database;
using Pipeline.Registry.Failures;

namespace Pipeline.Registry.Truth;

/// <summary>
/// A right that one process holds at a time, by the database's clock: a row of <c>leases</c>. Another process takes it over when it has run
/// out, or at once when the holder has no row among the living (<see cref="ThisProcess"/>). Each take-over has a higher fence, so that whatever
/// an earlier holder still writes can be refused.
/// </summary>
/// <param name="database">Where the lease stands, and whose clock counts.</param>
/// <param name="name">Its name.</param>
/// <param name="process">The id of the process that asks.</param>
/// <param name="duration">How long it holds without renewal.</param>
/// <param name="clock">Measures, from before each question to the database, how much is left: this process's time of day does not matter.</param>
public sealed class Lease(IDatabase database, string name, string process, TimeSpan duration, TimeProvider clock)
{
    private const string TakenSql =
        "SELECT 1 FROM leases l WHERE l.name = $1 AND l.process <> $2 AND l.until > now_us() AND EXISTS (SELECT 1 FROM processes p WHERE p.id = l.process)";

    private const string TakeSql =
        """
        UPDATE leases SET process = $2, fence = CASE WHEN process = $2 THEN fence ELSE fence + 1 END, until = now_us() + $3
        WHERE name = $1 AND (process = $2 OR until <= now_us() OR NOT EXISTS (SELECT 1 FROM processes p WHERE p.id = leases.process))
        RETURNING fence
        """;

    private const string KeepSql = "UPDATE leases SET until = now_us() + $4 WHERE name = $1 AND process = $2 AND fence = $3 AND until > now_us()";

    private readonly long _duration = Microseconds.Of(duration);
    private State? _state;

    /// <summary>The fence under which this process held it last; 0: never.</summary>
    public long Fence => Volatile.Read(ref _state)?.Fence ?? 0;

    /// <summary>Takes or renews the lease. Asks nobody while more than half of it is left.</summary>
    /// <returns>Whether this process holds it.</returns>
    /// <exception cref="TransientException">The database is away or busy.</exception>
    public async ValueTask<bool> TryTakeAsync(CancellationToken cancellationToken = default)
    {
        if (Left > duration / 2) return true;
        // Who waits beside a living holder only reads.
        if (await database.ReadAsync(sql => sql.LongAsync(TakenSql, name, process), cancellationToken).ConfigureAwait(false) is not null) return false;
        var asked = clock.GetTimestamp();
        var fence = await database.WriteAsync(TakeAsync, cancellationToken).ConfigureAwait(false);
        Note(fence, asked);
        return fence is not null;
    }

    /// <summary>
    /// Renews the lease in the caller's transaction, and keeps others from taking it until that ends. False: this process has lost it, so the
    /// caller must write nothing.
    /// </summary>
    public async ValueTask<bool> KeepAsync(Statements sql)
    {
        ArgumentNullException.ThrowIfNull(sql);
        if (await sql.ExecuteAsync(KeepSql, name, process, Fence, _duration).ConfigureAwait(false) == 1) return true;
        Volatile.Write(ref _state, null);
        return false;
    }

    /// <summary>Renews the lease. False: this process has lost it.</summary>
    /// <exception cref="TransientException">The database is away or busy.</exception>
    public async ValueTask<bool> RenewAsync(CancellationToken cancellationToken = default)
    {
        var (fence, asked) = (Fence, clock.GetTimestamp());
        var kept = await database.WriteAsync(KeepAsync, cancellationToken).ConfigureAwait(false);
        if (kept) Note(fence, asked);
        return kept;
    }

    /// <summary>What is left of it for certain.</summary>
    internal TimeSpan Left => Volatile.Read(ref _state) is { } state ? duration - clock.GetElapsedTime(state.Asked) : TimeSpan.Zero;

    /// <summary>How long it holds without renewal.</summary>
    internal TimeSpan Duration => duration;

    private async ValueTask<long?> TakeAsync(Statements sql)
    {
        // The row is locked first: only a statement that begins afterwards sees whether the holder, of that moment, is among the living.
        if (await sql.ExecuteAsync("UPDATE leases SET fence = fence WHERE name = $1", name).ConfigureAwait(false) == 0)
            await sql.ExecuteAsync("INSERT INTO leases (name, process, fence, until) VALUES ($1, '', 0, 0) ON CONFLICT (name) DO NOTHING", name).ConfigureAwait(false);
        return await sql.LongAsync(TakeSql, name, process, _duration).ConfigureAwait(false);
    }

    private void Note(long? fence, long asked) => Volatile.Write(ref _state, fence is { } held ? new State(held, asked) : null);

    private sealed record State(long Fence, long Asked);
}
