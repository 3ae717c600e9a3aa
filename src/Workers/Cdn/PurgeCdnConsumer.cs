using MassTransit;
using Pipeline.Contracts.Cdn;
using Pipeline.Registry.Cdn;
using Pipeline.Registry.Telemetry;

namespace Pipeline.Workers.Cdn;

/// <summary>Makes every configured cache forget what changed.</summary>
/// <remarks>
/// Triggered by: <see cref="PurgeCdn"/>, from the sparse renderer, the removal of bytes, or the sweep.
/// Produces: requests to the caches; each row's confirmation, or its next try.
/// Safe to repeat because: forgetting twice does no harm; a row is confirmed only after the cache took it.
/// Ordered/locked by: rows are marked as taken, oldest first; in one process a target has one drain at a time.
/// May run in parallel: yes; a target that hangs holds up no other.
/// </remarks>
public sealed class PurgeCdnConsumer(CdnOptions options, TargetDrain drain) : IConsumer<PurgeCdn>
{
    /// <inheritdoc/>
    public async Task Consume(ConsumeContext<PurgeCdn> context)
    {
        ArgumentNullException.ThrowIfNull(context);
        // A drain that hangs keeps this message; the next one finds it at work and sees to the others.
        var taken = await Task.WhenAll(options.Targets.Select(target => drain.RunAsync(target, context.CancellationToken))).ConfigureAwait(false);
        var run = context.Run();
        if ((run.Moved = taken.Sum()) == 0) run.Outcome = StageRun.Nothing;
    }
}
