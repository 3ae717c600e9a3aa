using MassTransit;
using Pipeline.Contracts.Notices;
using Pipeline.Registry.Database;
using Pipeline.Registry.Telemetry;

namespace Pipeline.Workers.Notices;

/// <summary>Tells webhooks of changes.</summary>
/// <remarks>
/// Triggered by: <see cref="SendNotices"/>, a bell without a key, from every change of a crate, or from the sweep.
/// Produces: deliveries, and how far each webhook has been told; notices given up as failures.
/// Safe to repeat because: a webhook's watermark moves only behind what it took; a delivery that is repeated has the same id.
/// Ordered/locked by: the order of the feed; a webhook's row, which one process takes at a time.
/// May run in parallel: yes; every webhook is told beside the others, so that one that hangs holds up nobody.
/// </remarks>
public sealed class SendNoticesConsumer(IDatabase database, WebhookDrains drains) : IConsumer<SendNotices>
{
    /// <inheritdoc/>
    public async Task Consume(ConsumeContext<SendNotices> context)
    {
        ArgumentNullException.ThrowIfNull(context);
        await drains.Pace.NextAsync(context.CancellationToken).ConfigureAwait(false);
        var due = await database.ReadAsync(WebhookRows.DueAsync, context.CancellationToken).ConfigureAwait(false);
        foreach (var id in due) drains.Begin(id);
        if (due.Count == 0) context.Run().Outcome = StageRun.Nothing;
    }
}
