using MassTransit;
using Microsoft.Extensions.Logging;
using Pipeline.Contracts;
using Pipeline.Contracts.Cdn;
using Pipeline.Contracts.Index;
using Pipeline.Contracts.Notices;
using Pipeline.Contracts.Publishing;
using Pipeline.Contracts.Search;
using Pipeline.Contracts.Upkeep;
using Pipeline.Contracts.Upstream;
using Pipeline.Registry.Bus;
using Pipeline.Registry.Cdn;
using Pipeline.Registry.Database;
using Pipeline.Registry.Faults;
using Pipeline.Registry.Schedules;
using Pipeline.Registry.Store;
using Pipeline.Registry.Truth;
using Pipeline.Workers.Cdn;
using Pipeline.Workers.Fetching;
using Pipeline.Workers.Notices;
using Pipeline.Workers.Search;
using Pipeline.Workers.Upstream;

namespace Pipeline.Workers.Upkeep;

/// <summary>Finds what waits without a bell and rings: oldest first, in pages, never more than a stage can hold (design, law 2).</summary>
/// <remarks>
/// Triggered by: <see cref="Sweep"/>, from the schedule, or from a stage that dropped bells and has room again.
/// Produces: bells; the verdict <c>expired</c> for publishes past their deadline; incidents of upstreams; room, where what was over long ago is forgotten.
/// Safe to repeat because: a row is rung again only some time after it was rung last, and every handler may run twice; a slot that was done is left alone.
/// Ordered/locked by: nothing; two sweeps claim different rows.
/// May run in parallel: yes.
/// </remarks>
public sealed class SweepConsumer(
    IDatabase database, IObjectStore store, IDoorbell doorbell, WaitingRows rows, SweepTrim trim, ScheduleSlots slots, CdnOptions cdn, FileEviction eviction, UpstreamWatch upstreams,
    ILogger<SweepConsumer> logger)
    : IConsumer<Sweep>
{
    /// <inheritdoc/>
    public async Task Consume(ConsumeContext<Sweep> context)
    {
        ArgumentNullException.ThrowIfNull(context);
        if (PlantedBugs.LostBell) return;
        var slot = context.Message.Slot;
        if (await slots.IsDoneAsync(UpkeepSchedules.Sweep, slot, context.CancellationToken).ConfigureAwait(false)) return;
        await ExpireAsync().ConfigureAwait(false);
        // Later stages first: what is nearly done makes room for what has just come.
        await RingAsync(static id => new ReadManifest(id), (sql, most) => rows.PublishesAsync(sql, PublishStates.Checked, most)).ConfigureAwait(false);
        await RingAsync(static id => new ValidateTarball(id), (sql, most) => rows.PublishesAsync(sql, PublishStates.Parked, most)).ConfigureAwait(false);
        await RingAsync(static id => new RenderSparse(id), rows.SparseAsync).ConfigureAwait(false);
        await RingAsync(static id => new RecordCrate(id), rows.RecordsAsync).ConfigureAwait(false);
        await RingAsync(static id => new DeleteBytes(id), rows.DeletionsAsync).ConfigureAwait(false);
        await RingAsync(static id => new Rebuild(id), rows.RebuildsAsync).ConfigureAwait(false);
        await RingAsync(static name => new SyncUpstream(name), rows.UpstreamsAsync).ConfigureAwait(false);
        await RingAsync(static id => new Reconcile(RunId: id), rows.ReconcilesAsync).ConfigureAwait(false);
        await upstreams.LookAsync().ConfigureAwait(false);
        await RingAsync(static id => new SendMail(id), rows.MailsAsync).ConfigureAwait(false);
        if (await database.ReadAsync(WaitingRows.GitIsBehindAsync).ConfigureAwait(false)) await doorbell.RingAsync(new CommitIndex()).ConfigureAwait(false);
        if (cdn.Targets.Count > 0 && await database.ReadAsync(sql => DuePurges.AnyAsync(sql, cdn.Targets)).ConfigureAwait(false)) await doorbell.RingAsync(new PurgeCdn()).ConfigureAwait(false);
        if (await database.ReadAsync(SearchProjection.IsBehindAsync).ConfigureAwait(false)) await doorbell.RingAsync(new UpdateSearch()).ConfigureAwait(false);
        if ((await database.ReadAsync(WebhookRows.DueAsync).ConfigureAwait(false)).Count > 0) await doorbell.RingAsync(new SendNotices()).ConfigureAwait(false);
        if (await database.ReadAsync(FileRows.AnyDueAsync).ConfigureAwait(false)) await doorbell.RingAsync(new FetchCrate()).ConfigureAwait(false);
        await eviction.RunNowAndThenAsync(context.CancellationToken).ConfigureAwait(false);
        await trim.RunAsync().ConfigureAwait(false);
        if (await database.ReadAsync(SquashRow.IsDueAsync).ConfigureAwait(false)) await doorbell.RingAsync(new SquashIndex()).ConfigureAwait(false);
        if (await database.WriteAsync(ReadOnlyState.EndWhenReconciledAsync).ConfigureAwait(false)) logger.LogWarning("the registry was reconciled and takes writes again");
        await slots.DoneAsync(UpkeepSchedules.Sweep, slot).ConfigureAwait(false);
    }

    private async Task RingAsync<TKey, TBell>(Func<TKey, TBell> bell, Func<Statements, int, ValueTask<List<TKey>>> claim)
        where TBell : class
    {
        if (await doorbell.LevelAsync(typeof(TBell)).ConfigureAwait(false) is not { Free: > 0 and var most }) return;
        var keys = await database.WriteAsync(sql => claim(sql, most)).ConfigureAwait(false);
        doorbell.Swept(typeof(TBell), all: keys.Count < most);
        if (keys.Count > 0) logger.LogDebug("sweep rings {Count} times for {Bell}", keys.Count, typeof(TBell).Name);
        foreach (var key in keys) await doorbell.RingAsync(bell(key)).ConfigureAwait(false);
    }

    /// <summary>No outage publishes a surprise days later (design, law 7).</summary>
    private async Task ExpireAsync()
    {
        var overdue = await database.ReadAsync(WaitingRows.OverdueAsync).ConfigureAwait(false);
        foreach (var id in overdue)
        {
            var reject = new Reject(RejectCodes.Expired, 408, "the publish could not be decided in time and was given up; publish it again");
            await ForgetRecordAsync(id).ConfigureAwait(false);
            var woken = await database.WriteAsync<List<string>?>(async sql =>
            {
                if (!await Publishes.RejectAsync(sql, id, reject, 0).ConfigureAwait(false)) return null;
                // Nobody tries it again, so what failed on its way is over, too.
                await sql.ExecuteAsync("UPDATE failures SET resolved_at = now_us() WHERE key = $1 AND stage IN ('validate-tarball', 'read-manifest') AND resolved_at IS NULL", id).ConfigureAwait(false);
                return await Publishes.WakeAsync(sql, id).ConfigureAwait(false);
            }).ConfigureAwait(false);
            if (woken is null) continue;
            logger.LogWarning("publish {publish.id} expired", id);
            await doorbell.RingAsync(new PublishDecided(id)).ConfigureAwait(false);
            foreach (var waiting in woken) await doorbell.RingAsync(new ReadManifest(waiting)).ConfigureAwait(false);
        }
    }

    /// <summary>The record of a publish that got as far as that and no further: one that stays would be taken for an accepted version's.</summary>
    private async Task ForgetRecordAsync(string id)
    {
        if (await database.ReadAsync(sql => Publishes.FindAsync(sql, id)).ConfigureAwait(false) is { State: PublishStates.Checked } publish)
            await store.DeleteAsync(StoreKeys.Record(publish.Name, publish.Num, id)).ConfigureAwait(false);
    }
}
