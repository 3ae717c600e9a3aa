using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Pipeline.Contracts.Cdn;
using Pipeline.Registry.Bus;
using Pipeline.Registry.Cdn;
using Pipeline.Registry.Database;
using Pipeline.Registry.Failures;

namespace Pipeline.Workers.Cdn;

/// <summary>Sends what is due for a target, batch after batch, until nothing is or the target fails.</summary>
public sealed class TargetDrain(
    IDatabase database, DuePurges rows, CacheClient client, CacheLooks looks, CdnOptions options, FailureLog failures, Stages stages, TimeProvider clock, ILogger<TargetDrain> logger)
{
    private static readonly TimeSpan ForgetEvery = TimeSpan.FromMinutes(10);

    // After it a batch starts no further request; what is left of it is taken again.
    private static readonly TimeSpan BatchLimit = TimeSpan.FromSeconds(60);

    // Less than rows stay taken: whoever takes them then must not be told of this batch any more.
    private static readonly TimeSpan NotingLimit = TimeSpan.FromSeconds(120);
    private static readonly TimeSpan NotingPause = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<string, Turn> _turns = new(StringComparer.Ordinal);
    private DateTimeOffset _forgetAt = DateTimeOffset.MinValue;

    /// <summary>Drains a target, or, when that is under way, makes it look once more at its end. Returns how many purges it took.</summary>
    public async Task<int> RunAsync(CdnTarget target, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(target);
        var turn = _turns.GetOrAdd(target.Name, static _ => new Turn());
        var taken = 0;
        if (!turn.Begin()) return taken;
        try
        {
            do
            {
                var batch = TakenBatch.Nothing;
                do
                {
                    batch = await database.WriteAsync(sql => rows.TakeAsync(sql, target), cancellationToken).ConfigureAwait(false);
                    taken += batch.Purges.Count;
                }
                while (batch.Purges.Count > 0 && await OneBatchAsync(target, batch, cancellationToken).ConfigureAwait(false));
            }
            while (!turn.End());
        }
        catch
        {
            turn.Break();
            throw;
        }

        await ForgetAsync().ConfigureAwait(false);
        return taken;
    }

    /// <summary>Sends one batch. False: the target fails.</summary>
    private async Task<bool> OneBatchAsync(CdnTarget target, TakenBatch batch, CancellationToken cancellationToken)
    {
        using var trace = PurgeTrace.Start(target, batch);
        PurgeProgress progress;
        HashSet<long> verified;
        try
        {
            progress = await SendAsync(target, batch, cancellationToken).ConfigureAwait(false);
            verified = target.Verify ? await VerifyAsync(target, batch, progress, cancellationToken).ConfigureAwait(false) : [];
        }
        catch
        {
            await NoteAsync(sql => ReleaseAsync(sql, batch), cancellationToken).ConfigureAwait(false);
            throw;
        }

        var isWell = await NoteAsync(sql => WriteAsync(sql, target, batch, progress, verified), cancellationToken).ConfigureAwait(false);
        trace.Note(batch, progress);
        await ReportAsync(target, batch, progress, isWell).ConfigureAwait(false);
        return progress.Halt is null;
    }

    /// <summary>
    /// Writes down how a batch ended, also when this process is told to stop: what was sent is sent. A database that is away is waited for,
    /// since nobody else may take the rows for minutes.
    /// </summary>
    private async Task<T> NoteAsync<T>(Func<Statements, ValueTask<T>> write, CancellationToken cancellationToken)
    {
        var started = clock.GetTimestamp();
        while (true)
        {
            try
            {
                return await database.WriteAsync(write, CancellationToken.None).ConfigureAwait(false);
            }
            catch (TransientException) when (clock.GetElapsedTime(started) < NotingLimit)
            {
                await Task.Delay(NotingPause, clock, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private async ValueTask<int> ReleaseAsync(Statements sql, TakenBatch batch)
    {
        var released = 0;
        foreach (var purge in batch.Purges) released += await rows.ReleaseAsync(sql, batch, purge.Item).ConfigureAwait(false);
        return released;
    }

    private async Task<PurgeProgress> SendAsync(CdnTarget target, TakenBatch batch, CancellationToken cancellationToken)
    {
        var purger = target.Purger();
        var progress = new PurgeProgress();
        var started = clock.GetTimestamp();
        var requests = purger.Plan([.. batch.Purges.Select(static purge => purge.Item)]);
        while (requests.Count > 0)
        {
            progress.Expect(requests);
            var smaller = new ConcurrentBag<IReadOnlyList<PurgeItem>>();
            await Parallel.ForEachAsync(
                requests,
                new ParallelOptions { MaxDegreeOfParallelism = target.Parallel, CancellationToken = cancellationToken },
                async (request, cancel) =>
                {
                    if (progress.Halt is not null || clock.GetElapsedTime(started) > BatchLimit) return;
                    var verdict = await VerdictAsync(target, purger, request, cancel).ConfigureAwait(false);
                    foreach (var part in progress.Settle(request, verdict)) smaller.Add(part);
                }).ConfigureAwait(false);
            requests = [.. smaller.SelectMany(purger.Plan)];
        }

        return progress;
    }

    private async Task<PurgeVerdict> VerdictAsync(CdnTarget target, ICachePurger purger, PurgeRequest request, CancellationToken cancellationToken)
    {
        try
        {
            return purger.Judge(request, await client.SendAsync(target, purger, request, cancellationToken).ConfigureAwait(false));
        }
        catch (TransientException e)
        {
            return new PurgeVerdict(PurgeResult.Later, e.Code, e.Message);
        }
    }

    /// <summary>Looks at what was taken. Only a cache that we address directly is all there is; of a CDN one edge is seen.</summary>
    private async Task<HashSet<long>> VerifyAsync(CdnTarget target, TakenBatch batch, PurgeProgress progress, CancellationToken cancellationToken)
    {
        var verified = new ConcurrentBag<long>();
        await Parallel.ForEachAsync(
            batch.Purges.Select(static purge => purge.Item).Where(progress.IsDone),
            new ParallelOptions { MaxDegreeOfParallelism = target.Parallel, CancellationToken = cancellationToken },
            async (item, cancel) =>
            {
                var seen = await looks.LookAsync(target, item, cancel).ConfigureAwait(false);
                if (seen == Seen.Old) progress.Fail(item, new PurgeVerdict(PurgeResult.Stale, "cdn-stale", $"the cache {target.Name} still serves the old {item.Value}"));
                else if (seen == Seen.New && target.Kind == CdnKind.Purge) verified.Add(item.Id);
            }).ConfigureAwait(false);
        return [.. verified];
    }

    /// <summary>Writes down what became of a batch; returns whether no purge of the target waits after a failure.</summary>
    private async ValueTask<bool> WriteAsync(Statements sql, CdnTarget target, TakenBatch batch, PurgeProgress progress, HashSet<long> verified)
    {
        var halt = progress.Halt;
        var wait = halt is null ? TimeSpan.Zero : PurgeBackoff.Next(batch.TargetAttempts + 1, halt, Random.Shared.NextDouble());
        foreach (var (item, attempts, _) in batch.Purges)
        {
            if (progress.FailureOf(item) is { } failure)
            {
                var own = failure.Result is PurgeResult.Later or PurgeResult.Refused ? wait : PurgeBackoff.Next(attempts + 1, failure, Random.Shared.NextDouble());
                await rows.DelayAsync(sql, batch, item, failure.Text, own).ConfigureAwait(false);
            }
            else if (!progress.IsDone(item))
            {
                await rows.ReleaseAsync(sql, batch, item).ConfigureAwait(false);
            }
            else if (verified.Contains(item.Id))
            {
                await rows.VerifiedAsync(sql, batch, item).ConfigureAwait(false);
            }
        }

        await rows.ConfirmAsync(sql, target, batch).ConfigureAwait(false);
        if (halt is not null) await DuePurges.HoldAsync(sql, target, halt.Text, wait).ConfigureAwait(false);
        else if (batch.TargetAttempts > 0) await DuePurges.WelcomeAsync(sql, target).ConfigureAwait(false);
        return halt is null && !await DuePurges.AnyFailedAsync(sql, target).ConfigureAwait(false);
    }

    /// <summary>A failure is filed under its target: the rows themselves say which purges it concerns.</summary>
    private async ValueTask ReportAsync(CdnTarget target, TakenBatch batch, PurgeProgress progress, bool isWell)
    {
        var stage = stages.Of(typeof(PurgeCdn));
        if (isWell)
        {
            await failures.ResolveAsync(stage, target.Name).ConfigureAwait(false);
            logger.LogDebug("{Count} purges done at {Target}", batch.Purges.Count, target.Name);
            return;
        }

        foreach (var failure in batch.Purges.Select(purge => progress.FailureOf(purge.Item)).OfType<PurgeVerdict>().DistinctBy(static failure => failure.Code))
        {
            Exception error = failure.Result is PurgeResult.Refused or PurgeResult.Unfit
                ? new PurgeRefusedException($"{target.Name}: {failure.Text}")
                : new TransientException(failure.Code, $"{target.Name}: {failure.Text}");
            await failures.RecordAsync(stage, target.Name, error).ConfigureAwait(false);
        }
    }

    private async ValueTask ForgetAsync()
    {
        var now = clock.GetUtcNow();
        if (now < _forgetAt) return;
        _forgetAt = now + ForgetEvery;
        await database.WriteAsync(sql => DuePurges.ForgetAsync(sql, TimeSpan.FromDays(options.KeepDays))).ConfigureAwait(false);
    }

    /// <summary>One drain at a time; who comes meanwhile leaves word that there may be more.</summary>
    private sealed class Turn
    {
        private const int Idle = 0;
        private const int Busy = 1;
        private const int Asked = 2;
        private int _state;

        /// <summary>True: the caller drains. False: somebody does, and looks again.</summary>
        public bool Begin()
        {
            while (true)
            {
                var seen = Interlocked.CompareExchange(ref _state, Busy, Idle);
                if (seen == Idle) return true;
                if (seen == Asked || Interlocked.CompareExchange(ref _state, Asked, Busy) == Busy) return false;
            }
        }

        /// <summary>True: done. False: somebody came, so look again.</summary>
        public bool End()
        {
            if (Interlocked.CompareExchange(ref _state, Idle, Busy) == Busy) return true;
            Volatile.Write(ref _state, Busy);
            return false;
        }

        /// <summary>The drain failed; the sweep rings again.</summary>
        public void Break() => Volatile.Write(ref _state, Idle);
    }
}
