using Pipeline.Contracts.Upkeep;
using Pipeline.Registry.Bus;
using Pipeline.Registry.Database;
using Pipeline.Registry.Identity;
using Pipeline.Registry.Truth;

namespace Pipeline.Registry.Failures;

/// <summary>What a replay came to, or would come to.</summary>
public static class Replayed
{
    /// <summary>The row is due again, as if it had never failed; the sweep rings it in its turn.</summary>
    public const string Reset = "reset";

    /// <summary>The failure was of a bell without a key, which was rung again.</summary>
    public const string Rung = "rung";

    /// <summary>Nothing waits there any more: the failure is resolved.</summary>
    public const string Over = "over";

    /// <summary>
    /// The message cannot be read, so it is not sent again; it was a bell for a row, and the sweep rings whatever row waits. The failure is resolved.
    /// </summary>
    public const string Dropped = "dropped";

    /// <summary>This program does not know the stage: nothing was done.</summary>
    public const string Unknown = "unknown";

    /// <summary>There is no such failure, or it was resolved before.</summary>
    public const string Gone = "gone";
}

/// <summary>What became of one failure.</summary>
/// <param name="Id">The failure.</param>
/// <param name="Outcome">One of the words of <see cref="Replayed"/>.</param>
public sealed record ReplayResult(long Id, string Outcome);

/// <summary>
/// Replays failures: each in a transaction of its own, its row is put back and the failure marked. Whoever is stopped on the way leaves the others
/// as they were; what was put back is rung by the sweep, here at once, else at its next slot. Replaying twice puts back the same row again.
/// </summary>
public sealed class Replay(IDatabase database, Stages stages, IDoorbell doorbell)
{
    /// <summary>Replays some failures, in the order given.</summary>
    /// <param name="ids">The failures.</param>
    /// <param name="actor">Who does it, for the audit.</param>
    /// <param name="cancellationToken">Stops after the failure that is at work.</param>
    public async Task<IReadOnlyList<ReplayResult>> RunAsync(IReadOnlyList<long> ids, Actor actor, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(ids);
        var results = new List<ReplayResult>(ids.Count);
        var sweep = false;
        try
        {
            foreach (var id in ids)
            {
                cancellationToken.ThrowIfCancellationRequested();
                await LetSettleAsync(id, cancellationToken).ConfigureAwait(false);
                var step = await database.WriteAsync(sql => OneAsync(sql, id, actor), CancellationToken.None).ConfigureAwait(false);
                if (step.Ring is not null) await step.Ring(doorbell).ConfigureAwait(false);
                sweep |= step.Outcome is Replayed.Reset or Replayed.Dropped;
                results.Add(new ReplayResult(id, step.Outcome));
            }
        }
        finally
        {
            // The sweep alone rings rows: oldest first, and no more than a stage can hold (design, law 2).
            if (sweep) await doorbell.RingAsync(new Sweep()).ConfigureAwait(false);
        }

        return results;
    }

    /// <summary>What a replay of a failure would come to, as far as its stage says.</summary>
    public string Plan(FailureRow failure)
    {
        ArgumentNullException.ThrowIfNull(failure);
        if (failure.ResolvedAt is not null) return Replayed.Gone;
        if (failure.IsUnreadable) return Replayed.Dropped;
        return stages.Find(failure.Stage) switch
        {
            null => Replayed.Unknown,
            { Replay: null } => Replayed.Over,
            { Replay: { } replay } => replay.BellKey == failure.Key ? Replayed.Rung : Replayed.Reset,
        };
    }

    private async ValueTask<Step> OneAsync(Statements sql, long id, Actor actor)
    {
        if (await FailureRow.FindAsync(sql, id).ConfigureAwait(false) is not { } seen || Plan(seen) is Replayed.Gone) return new Step(Replayed.Gone);
        var (plan, replay) = (Plan(seen), stages.Find(seen.Stage)?.Replay);
        if (plan == Replayed.Unknown) return new Step(plan);
        // The failure's row first, then the stage's: the order in which a failure is filed, too.
        if (await FailureRow.TakeAsync(sql, id).ConfigureAwait(false) is not { } failure) return new Step(Replayed.Gone);
        var waiting = 0;
        if (plan == Replayed.Reset)
        {
            foreach (var text in replay!.ResetSql) waiting += await sql.ExecuteAsync(text, failure.Key).ConfigureAwait(false);
            if (waiting == 0) plan = Replayed.Over;
        }

        if (plan is Replayed.Over or Replayed.Dropped) await sql.ExecuteAsync("UPDATE failures SET resolved_at = now_us() WHERE id = $1", id).ConfigureAwait(false);
        await Audit.WriteAsync(sql, "replay", actor, detail: $"failure {id} of {failure.Stage} {failure.Key}: {plan}").ConfigureAwait(false);
        return new Step(plan, plan == Replayed.Rung ? replay!.Ring : null);
    }

    // A worker that saw no open failure a moment ago does not look for one after its success (FailureLog.ResolveAsync).
    private async Task LetSettleAsync(long id, CancellationToken cancellationToken)
    {
        var age = await database.ReadAsync(sql => sql.LongAsync("SELECT now_us() - last_seen FROM failures WHERE id = $1", id), cancellationToken).ConfigureAwait(false);
        var left = FailureLog.Settles - TimeSpan.FromMicroseconds(age ?? long.MaxValue / 100);
        if (left > TimeSpan.Zero) await Task.Delay(left, cancellationToken).ConfigureAwait(false);
    }

    private sealed record Step(string Outcome, Func<IDoorbell, ValueTask>? Ring = null);
}
