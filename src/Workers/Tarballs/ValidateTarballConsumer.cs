using System.Text.Json;
using MassTransit;
using Microsoft.Extensions.Logging;
using Pipeline.Contracts.Publishing;
using Pipeline.Registry.Bus;
using Pipeline.Registry.Database;
using Pipeline.Registry.Faults;
using Pipeline.Registry.Options;
using Pipeline.Registry.Store;
using Pipeline.Registry.Telemetry;
using Pipeline.Registry.Truth;

namespace Pipeline.Workers.Tarballs;

/// <summary>Checks the staged archive of a publish and writes down what it found; says nothing about the verdict.</summary>
/// <remarks>
/// Triggered by: <see cref="ValidateTarball"/>, from intake or the sweep.
/// Produces: the archive's facts in the publish's row, then <see cref="ReadManifest"/>.
/// Safe to repeat because: the facts depend on the bytes alone, and only a parked publish takes them.
/// Ordered/locked by: nothing.
/// May run in parallel: yes, also for the same publish.
/// </remarks>
public sealed class ValidateTarballConsumer(
    IDatabase database, IObjectStore store, IDoorbell doorbell, PublishOptions limits, ILogger<ValidateTarballConsumer> logger) : IConsumer<ValidateTarball>
{
    /// <inheritdoc/>
    public async Task Consume(ConsumeContext<ValidateTarball> context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var run = context.Run();
        var publish = await database.ReadAsync(sql => Publishes.FindAsync(sql, context.Message.PublishId), context.CancellationToken).ConfigureAwait(false);
        if (publish is not { State: PublishStates.Parked })
        {
            run.Outcome = StageRun.Nothing;
            return;
        }

        run.Continue(publish.TraceParent).SetPublish(publish.Id, publish.Name, publish.Num);

        if (await TryReadAsync(publish, context.CancellationToken).ConfigureAwait(false) is not { } facts) return;
        FaultPoints.Reach("tarball.read");

        var rung = doorbell.HasRoom<ReadManifest>();
        var json = JsonSerializer.Serialize(facts, TarballJson.Default.TarballFacts);
        var took = run.ElapsedMicroseconds;
        if (!await database.WriteAsync(sql => Publishes.CheckedAsync(sql, publish.Id, json, took, rung)).ConfigureAwait(false)) return;
        FaultPoints.Reach("tarball.written");

        if (rung) await doorbell.RingAsync(new ReadManifest(publish.Id)).ConfigureAwait(false);
        FaultPoints.Reach("tarball.rung");
        logger.LogDebug("publish {publish.id} checked in {duration_us} us", publish.Id, took);
    }

    private async Task<TarballFacts?> TryReadAsync(PublishRow publish, CancellationToken cancellationToken)
    {
        var staged = await store.OpenAsync(publish.StagingKey, cancellationToken).ConfigureAwait(false);
        if (staged is null)
        {
            // Another run may have gone all the way to the verdict, which clears the staging.
            var now = await database.ReadAsync(sql => Publishes.FindAsync(sql, publish.Id), cancellationToken).ConfigureAwait(false);
            if (now?.State != PublishStates.Parked) return null;
            throw new InvalidOperationException($"the staged bytes of publish {publish.Id} are gone");
        }

        await using (staged.ConfigureAwait(false))
        {
            var rules = new TarballRules($"{publish.Name}-{publish.Num}")
            {
                UnpackLimit = limits.MaxUnpackedBytes,
                UploadLimit = publish.MaxUploadSize ?? limits.MaxUploadBytes,
                MaxEntries = limits.MaxEntries,
            };
            var facts = TarballReader.Read(staged.Content, rules, cancellationToken);
            // Bytes that changed between the PUT and now are our fault, never the publisher's.
            return facts.Checksum == publish.Checksum && facts.Size == publish.Size
                ? facts
                : throw new InvalidOperationException($"the staged bytes of publish {publish.Id} are not the ones received");
        }
    }
}
