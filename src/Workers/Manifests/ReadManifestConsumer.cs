using MassTransit;
using Microsoft.Extensions.Logging;
using Pipeline.Contracts;
using Pipeline.Contracts.Index;
using Pipeline.Contracts.Publishing;
using Pipeline.Registry.Bus;
using Pipeline.Registry.Database;
using Pipeline.Registry.Failures;
using Pipeline.Registry.Faults;
using Pipeline.Registry.Options;
using Pipeline.Registry.Store;
using Pipeline.Registry.Telemetry;
using Pipeline.Registry.Truth;
using Pipeline.Workers.Records;

namespace Pipeline.Workers.Manifests;

/// <summary>Reaches the verdict of a publish: reads its manifest, applies the rules, and reserves, stores and records the version.</summary>
/// <remarks>
/// Triggered by: <see cref="ReadManifest"/>, from the tarball stage, from a publish of the same version that has ended, or from the sweep.
/// Produces: the verdict; for an accepted version its bytes, record and row; bells for every projection; <see cref="PublishDecided"/>.
/// Safe to repeat because: the verdict is written once, the reservation is re-taken under a higher fence, bytes and record are create-only.
/// Ordered/locked by: the reservation of (crate, version number).
/// May run in parallel: yes, also for the same publish or version.
/// </remarks>
public sealed class ReadManifestConsumer(
    IDatabase database, IObjectStore store, IDoorbell doorbell, PublishDecision decision, PublishOptions limits, LostVersions lostVersions,
    ILogger<ReadManifestConsumer> logger) : IConsumer<ReadManifest>
{
    private const int MostReservations = 10;

    /// <inheritdoc/>
    public async Task Consume(ConsumeContext<ReadManifest> context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var run = context.Run();
        var publish = await database.ReadAsync(sql => Publishes.FindAsync(sql, context.Message.PublishId), context.CancellationToken).ConfigureAwait(false);
        if (publish is not { State: PublishStates.Checked })
        {
            run.Outcome = StageRun.Nothing;
            return;
        }

        run.Continue(publish.TraceParent).SetPublish(publish.Id, publish.Name, publish.Num);

        var (reject, version) = decision.Decide(publish);
        FaultPoints.Reach("manifest.decided");
        if (reject is not null) await RejectAsync(publish, reject, run).ConfigureAwait(false);
        else await PublishAsync(version!, run, context.CancellationToken).ConfigureAwait(false);
    }

    private async Task PublishAsync(VersionFacts version, StageRun run, CancellationToken cancellationToken)
    {
        var publish = version.Publish;
        for (var attempt = 0; attempt < MostReservations; attempt++)
        {
            await StandAsideAsync(attempt, cancellationToken).ConfigureAwait(false);
            var reserved = await database.WriteAsync(sql => Reservation.ReserveAsync(sql, version, limits, decision.Categories), cancellationToken).ConfigureAwait(false);
            FaultPoints.Reach("manifest.reserved");
            switch (reserved)
            {
                case Reserved.Over:
                    return;
                case Reserved.Refused refused:
                    // An attempt before this one may have noted it, and a record that stays would be taken for an accepted version's.
                    await store.DeleteAsync(StoreKeys.Record(publish.Name, publish.Num, publish.Id), CancellationToken.None).ConfigureAwait(false);
                    await RejectAsync(publish, refused.Reject, run).ConfigureAwait(false);
                    return;
                case Reserved.Same:
                    await EndAsync(publish, [], null).ConfigureAwait(false);
                    return;
                case Reserved.Busy busy:
                    // A publish that holds it rings this one when it ends; a deletion does not, so that one is tried again soon.
                    if (!PublishId.TryParse(busy.Holder, out _)) throw new TransientException("version-busy", $"{publish.Name} {publish.Num} is being deleted");
                    return;
                case Reserved.Ours ours:
                    if (!PlantedBugs.BytesAfterRow && !await TryStoreAsync(version, ours, cancellationToken).ConfigureAwait(false)) continue;
                    if (await TryRecordAsync(version, ours, run).ConfigureAwait(false) is not { } recorded) continue;
                    if (PlantedBugs.BytesAfterRow)
                    {
                        await PlantedBugs.GapAsync().ConfigureAwait(false);
                        await TryStoreAsync(version, ours, cancellationToken).ConfigureAwait(false);
                    }

                    FaultPoints.Reach("manifest.recorded");
                    await EndAsync(publish, recorded.Woken, recorded.CrateId).ConfigureAwait(false);
                    logger.LogInformation("publish {publish.id} of {crate.name} {crate.version} accepted", publish.Id, publish.Name, publish.Num);
                    return;
            }
        }

        throw new TransientException("version-contended", $"{publish.Name} {publish.Num} changed hands {MostReservations} times");
    }

    /// <summary>
    /// Runs of one publish take its reservation from each other. Each waits a random time before it does so again, twice as long at most
    /// each time, so that one of them gets through its three steps undisturbed.
    /// </summary>
    private static Task StandAsideAsync(int attempt, CancellationToken cancellationToken) =>
        attempt == 0 ? Task.CompletedTask : Task.Delay(Random.Shared.Next(1, 4 << attempt), cancellationToken);

    /// <summary>Step 2 of reserve, store, record. False: the publish was decided by somebody else meanwhile.</summary>
    private async Task<bool> TryStoreAsync(VersionFacts version, Reserved.Ours reserved, CancellationToken cancellationToken)
    {
        var publish = version.Publish;
        var staged = new StagedBytes(publish.StagingKey, publish.Size, Checksum.Parse(publish.Checksum));
        try
        {
            // Other bytes already there that no version names are the reservation holder's to replace; whoever lost the fence must not touch them.
            if (!await store.PromoteAsync(staged, version.ObjectKey, replace: false, cancellationToken).ConfigureAwait(false))
            {
                if (!await database.ReadAsync(sql => Reservation.IsHeldAsync(sql, publish.Id, reserved.Fence), cancellationToken).ConfigureAwait(false)) return false;
                // No number is given twice, also not by who started on an older backup without `recover`.
                if (await lostVersions.HasAsync(publish.Name, publish.Num, cancellationToken).ConfigureAwait(false)) throw new LostVersionException(publish.Name, publish.Num);
                await store.PromoteAsync(staged, version.ObjectKey, replace: true, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (FileNotFoundException)
        {
            // The other run of this publish was faster and has cleared the staging; the next reservation attempt sees its verdict.
            var now = await database.ReadAsync(sql => Publishes.FindAsync(sql, publish.Id), cancellationToken).ConfigureAwait(false);
            if (now?.State != PublishStates.Checked) return false;
            throw;
        }

        FaultPoints.Reach("manifest.stored");
        var record = VersionRecord.Render(version);
        using var content = new MemoryStream(record, writable: false);
        await store.CreateAsync(StoreKeys.Record(publish.Name, publish.Num, publish.Id), content, record.Length, cancellationToken).ConfigureAwait(false);
        FaultPoints.Reach("manifest.noted");
        return true;
    }

    private async Task<Recorded?> TryRecordAsync(VersionFacts version, Reserved.Ours reserved, StageRun run)
    {
        try
        {
            var took = run.ElapsedMicroseconds;
            return await database.WriteAsync(sql => Recording.RecordAsync(sql, version, reserved, took)).ConfigureAwait(false);
        }
        catch (CrateMovedException)
        {
            return null;
        }
    }

    private async Task RejectAsync(PublishRow publish, Reject reject, StageRun run)
    {
        var took = run.ElapsedMicroseconds;
        run.Outcome = StageRun.Rejected;
        var woken = await database.WriteAsync(
            async sql => await Publishes.RejectAsync(sql, publish.Id, reject, took).ConfigureAwait(false)
                ? await Publishes.WakeAsync(sql, publish.Id).ConfigureAwait(false)
                : null).ConfigureAwait(false);
        if (woken is null) return;
        await EndAsync(publish, woken, null).ConfigureAwait(false);
        logger.LogInformation("publish {publish.id} of {crate.name} {crate.version} rejected: {Code}", publish.Id, publish.Name, publish.Num, reject.Code);
    }

    private async Task EndAsync(PublishRow publish, IReadOnlyList<string> woken, long? crateId)
    {
        if (crateId is { } id)
        {
            await doorbell.RingAsync(new RenderSparse(id)).ConfigureAwait(false);
            await doorbell.RingAsync(new CommitIndex()).ConfigureAwait(false);
        }

        await doorbell.RingAsync(new PublishDecided(publish.Id)).ConfigureAwait(false);
        if (crateId is not null) await doorbell.RingFollowersAsync().ConfigureAwait(false);
        foreach (var waiting in woken) await doorbell.RingAsync(new ReadManifest(waiting)).ConfigureAwait(false);
        FaultPoints.Reach("manifest.rung");
        // Last: the verdict stands whatever becomes of it, and what is left the clean-up removes.
        await store.DeleteAsync(publish.StagingKey).ConfigureAwait(false);
    }
}
