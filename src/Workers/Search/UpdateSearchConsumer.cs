using MassTransit;
using Pipeline.Contracts.Search;
using Pipeline.Registry.Telemetry;

namespace Pipeline.Workers.Search;

/// <summary>Brings the search projection up to the change feed.</summary>
/// <remarks>
/// Triggered by: <see cref="UpdateSearch"/>, a bell without a key, from every change of a crate, or from the sweep.
/// Produces: the rows that searches are answered from, and the watermark, in one transaction.
/// Safe to repeat because: a crate's row is written whole from the truth; behind the watermark nothing is left to do.
/// Ordered/locked by: the order of the feed; the row with the watermark, locked for each batch.
/// May run in parallel: yes, one batch waits for the other.
/// </remarks>
public sealed class UpdateSearchConsumer(SearchProjection projection) : IConsumer<UpdateSearch>
{
    /// <inheritdoc/>
    public async Task Consume(ConsumeContext<UpdateSearch> context)
    {
        ArgumentNullException.ThrowIfNull(context);
        await projection.Pace.NextAsync(context.CancellationToken).ConfigureAwait(false);
        if (!await projection.FollowAsync(context.CancellationToken).ConfigureAwait(false)) context.Run().Outcome = StageRun.Nothing;
    }
}
