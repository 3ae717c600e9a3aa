using MassTransit;
using Pipeline.Contracts.Upstream;
using Pipeline.Registry.Database;
using Pipeline.Registry.Telemetry;

namespace Pipeline.Workers.Fetching;

/// <summary>Brings the files of mirrored crates here.</summary>
/// <remarks>
/// Triggered by: <see cref="FetchCrate"/>, a bell without a key, from a download, a sync, or the sweep.
/// Produces: checked bytes under their keys, what their manifests say, and what could not be had as failures; for full mirrors the list of files.
/// Safe to repeat because: a file that is kept is not wanted any more, and its bytes are written once, under a key that names their checksum.
/// Ordered/locked by: a file's row, which one process takes at a time.
/// May run in parallel: yes; every file is fetched beside the others, so that one that hangs holds up nobody.
/// </remarks>
public sealed class FetchCrateConsumer(IDatabase database, FileFetches fetches) : IConsumer<FetchCrate>
{
    /// <inheritdoc/>
    public async Task Consume(ConsumeContext<FetchCrate> context)
    {
        ArgumentNullException.ThrowIfNull(context);
        if (await database.ReadAsync(FileRows.AnyDueAsync, context.CancellationToken).ConfigureAwait(false)) fetches.Begin();
        else context.Run().Outcome = StageRun.Nothing;
    }
}
