using Microsoft.Extensions.Logging;
using Pipeline.Contracts;
using Pipeline.Contracts.Index;
using Pipeline.Contracts.Publishing;
using Pipeline.Registry.Bus;
using Pipeline.Registry.Bus.Batches;
using Pipeline.Registry.Database;
using Pipeline.Registry.Failures;
using Pipeline.Registry.Faults;
using Pipeline.Registry.Options;
using Pipeline.Registry.Store;
using Pipeline.Registry.Telemetry;
using Pipeline.Registry.Truth;
using Pipeline.Workers.Tarballs;

namespace Pipeline.Workers.Manifests;

/// <summary>Reaches the verdicts of publishes: reads their manifests, applies the rules, and reserves, stores and records the versions.</summary>
/// <remarks>
/// Triggered by: <see cref="ReadManifest"/>, from the tarball stage, from a publish of the same version that has ended, or from the sweep.
/// Produces: the verdicts; for accepted versions their bytes, records and rows; bells for every projection; <see cref="PublishDecided"/>.
/// Safe to repeat because: a verdict is written once, a reservation is re-taken under a higher fence, bytes and record are create-only.
/// Ordered/locked by: the reservation of (crate, version number).
/// May run in parallel: yes, also for the same publish or version.
/// </remarks>
public sealed class ReadManifestConsumer(
    IDatabase database, IObjectStore store, IDoorbell doorbell, PublishDecision decision, PublishOptions limits, VersionFiles files, ParkedCopies parked, CheckedPublishes checks,
    ILogger<ReadManifestConsumer> logger) : IBatchConsumer<string>
{
    /// <summary>Its queue.</summary>
    internal const string Queue = "read-manifest";

    private const int MostReservations = 10;

    private delegate ValueTask<int> Write(Func<Statements, ValueTask<int>> work, CancellationToken cancellationToken);

    /// <inheritdoc/>
    public async Task ConsumeAsync(StageBatch<string> batch, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(batch);
        var rows = await RowsAsync(batch.Items, cancellationToken).ConfigureAwait(false);
        var waiting = new List<Candidate>(batch.Items.Count);
        foreach (var item in batch.Items)
        {
            if (rows.TryGetValue(item.Key, out var publish) && publish.State == PublishStates.Checked) Decide(item, publish, waiting);
            else item.Outcome = StageRun.Nothing;
        }

        FaultPoints.Reach("manifest.decided");
        var accepted = new List<PublishRow>();
        for (var attempt = 0; waiting.Count > 0; attempt++)
        {
            if (attempt == MostReservations)
            {
                foreach (var one in waiting) one.Item.Fail(new TransientException("version-contended", $"{one.Publish.Name} {one.Publish.Num} changed hands {MostReservations} times"));
                break;
            }

            await StandAsideAsync(attempt, cancellationToken).ConfigureAwait(false);
            await RunAsync(waiting, cancellationToken).ConfigureAwait(false);
            accepted.AddRange(waiting.Where(static one => one.Recorded is not null).Select(static one => one.Publish));
            waiting.RemoveAll(static one => !one.IsAgain);
        }

        FaultPoints.Reach("manifest.rung");
        // The verdicts stand whatever becomes of this; what is left the clean-up removes.
        batch.LetNextBegin();
        await parked.DropAsync(accepted).ConfigureAwait(false);
    }

    private async Task<Dictionary<string, PublishRow>> RowsAsync(IReadOnlyList<StageItem<string>> items, CancellationToken cancellationToken)
    {
        var rows = new Dictionary<string, PublishRow>(items.Count, StringComparer.Ordinal);
        var others = new List<string>();
        foreach (var item in items)
        {
            if (checks.Take(item.Key) is { } row) rows.Add(row.Id, row);
            else others.Add(item.Key);
        }

        if (others.Count == 0) return rows;
        foreach (var (id, row) in await database.ReadAsync(sql => Publishes.FindAllAsync(sql, others), cancellationToken).ConfigureAwait(false)) rows.Add(id, row);
        return rows;
    }

    private void Decide(StageItem<string> item, PublishRow publish, List<Candidate> waiting)
    {
        item.Continue(publish.TraceParent).SetPublish(publish.Id, publish.Name, publish.Num);
        try
        {
            var (reject, version) = decision.Decide(publish);
            waiting.Add(new Candidate(item, publish, reject, version));
        }
        catch (Exception e)
        {
            item.Fail(e);
        }
    }

    /// <summary>
    /// Runs of one publish take its reservation from each other. Each waits a random time before it does so again, twice as long at most
    /// each time, so that one of them gets through its three steps undisturbed.
    /// </summary>
    private static Task StandAsideAsync(int attempt, CancellationToken cancellationToken) =>
        attempt == 0 ? Task.CompletedTask : Task.Delay(Random.Shared.Next(1, 4 << attempt), cancellationToken);

    /// <summary>Reserves, stores and records once.</summary>
    private async Task RunAsync(List<Candidate> candidates, CancellationToken cancellationToken)
    {
        await WriteAsync(candidates.FindAll(static one => one.HasVersion), ReserveAsync, database.WriteUnsyncedAsync, cancellationToken).ConfigureAwait(false);
        await WriteAsync(candidates.FindAll(static one => one is { Reject: not null, Failure: null, IsAgain: false }), RejectAsync, database.WriteAsync, cancellationToken).ConfigureAwait(false);
        FaultPoints.Reach("manifest.reserved");
        // An attempt before this one, or another run, may have noted the record of what the database refuses now.
        foreach (var one in candidates.Where(static one => one is { IsDecided: true, Reject: not null, HasVersion: true })) await files.ForgetAsync(one.Publish).ConfigureAwait(false);
        await EndAsync(candidates).ConfigureAwait(false);

        var ours = candidates.FindAll(static one => one is { Ours: not null, IsDecided: false, Failure: null });
        if (!PlantedBugs.BytesAfterRow) await StoreAsync(ours, cancellationToken).ConfigureAwait(false);
        var stored = ours.FindAll(static one => one is { IsAgain: false, Item.Failure: null });
        if (stored.Count == 0) return;
        await WriteAsync(stored, RecordAsync, database.WriteAsync, CancellationToken.None).ConfigureAwait(false);
        if (PlantedBugs.BytesAfterRow)
        {
            await PlantedBugs.GapAsync().ConfigureAwait(false);
            await StoreAsync(ours, cancellationToken).ConfigureAwait(false);
        }

        FaultPoints.Reach("manifest.recorded");
        await EndAsync(stored).ConfigureAwait(false);
    }

    /// <summary>Does a step for some candidates in one transaction, each on a savepoint of its own.</summary>
    private static async Task WriteAsync(List<Candidate> candidates, Func<Statements, Candidate, ValueTask> step, Write write, CancellationToken cancellationToken)
    {
        if (candidates.Count == 0) return;
        await write(
            async sql =>
            {
                foreach (var one in candidates)
                {
                    one.Begin();
                    one.Item.Enter();
                    one.Failure = await sql.TryAsync(() => step(sql, one)).ConfigureAwait(false);
                    if (one.Failure is null) continue;
                    // What this part wrote was taken back.
                    one.IsAgain = one.Failure is CrateMovedException;
                    (one.IsDecided, one.Recorded, one.Ours) = (false, null, null);
                }

                return candidates.Count;
            },
            cancellationToken).ConfigureAwait(false);
        foreach (var one in candidates.Where(static one => one is { Failure: not null, IsAgain: false })) one.Item.Fail(one.Failure!);
    }

    /// <summary>Step 1. A power cut may take it back: then the publish, parked still, is decided again, and the third step of this run finds no reservation.</summary>
    private async ValueTask ReserveAsync(Statements sql, Candidate one)
    {
        (one.Ours, one.Reject) = (null, null);
        switch (await Reservation.ReserveAsync(sql, one.Version, limits, decision.Categories).ConfigureAwait(false))
        {
            case Reserved.Ours ours:
                one.Ours = ours;
                break;
            case Reserved.Refused refused:
                one.Reject = refused.Reject;
                break;
            case Reserved.Same:
                await Publishes.DropBodyAsync(sql, one.Publish.Id).ConfigureAwait(false);
                one.IsDecided = true;
                break;
            case Reserved.Busy busy when !PublishId.TryParse(busy.Holder, out _):
                // A publish that holds it rings this one when it ends; a deletion does not, so that this one is tried again soon.
                throw new TransientException("version-busy", $"{one.Publish.Name} {one.Publish.Num} is being deleted");
        }
    }

    /// <summary>The verdict of what is refused: it is answered, so it is synced.</summary>
    private static async ValueTask RejectAsync(Statements sql, Candidate one)
    {
        one.IsDecided = await Publishes.RejectAsync(sql, one.Publish.Id, one.Reject!, one.Item.ElapsedMicroseconds).ConfigureAwait(false);
        if (!one.IsDecided) return;
        one.Woken = await Publishes.WakeAsync(sql, one.Publish.Id).ConfigureAwait(false);
        await FailureLog.ResolveAsync(sql, Queue, one.Publish.Id).ConfigureAwait(false);
    }

    /// <summary>Step 2. Over a network for all at once, on a disk one after the other.</summary>
    private async Task StoreAsync(List<Candidate> ours, CancellationToken cancellationToken)
    {
        if (store.Folders is null) await Task.WhenAll(ours.Select(StoreOneAsync)).ConfigureAwait(false);
        else foreach (var one in ours) await StoreOneAsync(one).ConfigureAwait(false);

        async Task StoreOneAsync(Candidate one)
        {
            one.Item.Enter();
            try
            {
                one.IsAgain = !await files.TryStoreAsync(one.Version, one.Ours!.Fence, cancellationToken).ConfigureAwait(false);
            }
            catch (Exception e) when (e is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
            {
                one.Item.Fail(e);
            }
        }
    }

    /// <summary>Step 3.</summary>
    private async ValueTask RecordAsync(Statements sql, Candidate one)
    {
        one.Recorded = await Recording.RecordAsync(sql, one.Version, one.Ours!, one.Item.ElapsedMicroseconds).ConfigureAwait(false);
        if (one.Recorded is not { } recorded)
        {
            one.IsAgain = true;
            return;
        }

        if (store.IsDurableAtOnce) await Publishes.DropBodyAsync(sql, one.Publish.Id).ConfigureAwait(false);
        // Not only when the batch has ended, which waits for the disk: this process may die before.
        await FailureLog.ResolveAsync(sql, Queue, one.Publish.Id).ConfigureAwait(false);
        (one.IsDecided, one.Woken) = (true, recorded.Woken);
    }

    /// <summary>Rings for what a transaction has decided, each stage once.</summary>
    private async Task EndAsync(List<Candidate> candidates)
    {
        var decided = candidates.FindAll(static one => one.IsDecided);
        if (decided.Count == 0) return;
        // One message for many: it goes along with the trace of the first.
        decided[0].Item.Enter();
        await doorbell.RingAllAsync(decided.ConvertAll(static one => new PublishDecided(one.Publish.Id))).ConfigureAwait(false);
        var recorded = decided.FindAll(static one => one.Recorded is not null);
        if (recorded.Count > 0)
        {
            await doorbell.RingAllAsync(recorded.ConvertAll(static one => new RenderSparse(one.Recorded!.CrateId))).ConfigureAwait(false);
            await doorbell.RingAsync(new CommitIndex()).ConfigureAwait(false);
            await doorbell.RingFollowersAsync().ConfigureAwait(false);
        }

        var woken = decided.SelectMany(static one => one.Woken).Select(static id => new ReadManifest(id)).ToList();
        if (woken.Count > 0) await doorbell.RingAllAsync(woken).ConfigureAwait(false);
        foreach (var one in decided) await LogAsync(one).ConfigureAwait(false);
    }

    private async ValueTask LogAsync(Candidate one)
    {
        var publish = one.Publish;
        one.Item.Enter();
        if (one.Recorded is not null) logger.LogInformation("publish {publish.id} of {crate.name} {crate.version} accepted", publish.Id, publish.Name, publish.Num);
        if (one.Reject is not { } reject) return;
        one.Item.Outcome = StageRun.Rejected;
        logger.LogInformation("publish {publish.id} of {crate.name} {crate.version} rejected: {Code}", publish.Id, publish.Name, publish.Num, reject.Code);
        // What a refused upload left in the store; what it left in the database went with the verdict.
        if (publish.Body is null) await store.DeleteAsync(publish.StagingKey).ConfigureAwait(false);
    }
}
