using MassTransit;
using Pipeline.Contracts.Upstream;
using Pipeline.Registry.Telemetry;

namespace Pipeline.Workers.Upstream;

/// <summary>Brings the mirror to where an upstream is.</summary>
/// <remarks>
/// Triggered by: <see cref="SyncUpstream"/>, from an operator, or from the sweep when an upstream is due.
/// Produces: crates with their upstream index files, a change per batch, what could not be taken, the watermark; bells for the projections.
/// Safe to repeat because: a file that is equal is not written, and an interrupted sync goes on behind its last committed batch.
/// Ordered/locked by: a lease per upstream, renewed in every transaction.
/// May run in parallel: yes, for different upstreams.
/// </remarks>
public sealed class SyncUpstreamConsumer(UpstreamFollower follower) : IConsumer<SyncUpstream>
{
    /// <inheritdoc/>
    public async Task Consume(ConsumeContext<SyncUpstream> context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var run = context.Run();
        run.Continue(null).SetTag("upstream.name", context.Message.Name);
        if (!await follower.FollowAsync(context.Message.Name, context.CancellationToken).ConfigureAwait(false)) run.Outcome = StageRun.Nothing;
    }
}
