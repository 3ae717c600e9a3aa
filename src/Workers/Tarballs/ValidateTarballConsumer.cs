using System.Collections.Concurrent;
using System.Text.Json;
using Pipeline.Contracts.Publishing;
using Pipeline.Registry.Bus;
using Pipeline.Registry.Bus.Batches;
using Pipeline.Registry.Database;
using Pipeline.Registry.Faults;
using Pipeline.Registry.Options;
using Pipeline.Registry.Store;
using Pipeline.Registry.Telemetry;
using Pipeline.Registry.Truth;

namespace Pipeline.Workers.Tarballs;

/// <summary>Checks the staged archives of publishes and writes down what it found; says nothing about the verdict.</summary>
/// <remarks>
/// Triggered by: <see cref="ValidateTarball"/>, from intake or the sweep.
/// Produces: each archive's facts in the publish's row, then <see cref="ReadManifest"/>.
/// Safe to repeat because: the facts depend on the bytes alone, and only a parked publish takes them.
/// Ordered/locked by: nothing.
/// May run in parallel: yes, also for the same publish.
/// </remarks>
public sealed class ValidateTarballConsumer(IDatabase database, IObjectStore store, IDoorbell doorbell, PublishOptions limits, CheckedPublishes checks) : IBatchConsumer<string>
{
    // What is read by then is written down: an archive that takes long keeps no other waiting.
    private static readonly TimeSpan WriteAfter = TimeSpan.FromMilliseconds(20);

    /// <inheritdoc/>
    public async Task ConsumeAsync(StageBatch<string> batch, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(batch);
        var rows = await database.ReadAsync(sql => Publishes.FindAllAsync(sql, [.. batch.Items.Select(static item => item.Key)]), cancellationToken).ConfigureAwait(false);
        var waiting = new ConcurrentQueue<(StageItem<string> Item, PublishRow Publish)>();
        foreach (var item in batch.Items)
        {
            if (rows.TryGetValue(item.Key, out var publish) && publish.State == PublishStates.Parked)
            {
                item.Continue(publish.TraceParent).SetPublish(publish.Id, publish.Name, publish.Num);
                waiting.Enqueue((item, publish));
            }
            else
            {
                item.Outcome = StageRun.Nothing;
            }
        }

        var found = new ConcurrentQueue<Found>();
        var reading = waiting.Count switch
        {
            0 => Task.CompletedTask,
            1 => ReadAsync(waiting, found, cancellationToken),
            var count => Task.WhenAll(Enumerable.Range(0, Math.Min(Environment.ProcessorCount, count)).Select(_ => Task.Run(() => ReadAsync(waiting, found, cancellationToken), cancellationToken))),
        };
        while (!reading.IsCompleted)
        {
            await Task.WhenAny(reading, Task.Delay(WriteAfter, cancellationToken)).ConfigureAwait(false);
            await WriteAsync(found).ConfigureAwait(false);
        }

        await reading.ConfigureAwait(false);
        await WriteAsync(found).ConfigureAwait(false);
    }

    private async Task ReadAsync(ConcurrentQueue<(StageItem<string> Item, PublishRow Publish)> waiting, ConcurrentQueue<Found> found, CancellationToken cancellationToken)
    {
        while (waiting.TryDequeue(out var next))
        {
            var (item, publish) = next;
            try
            {
                if (await TryReadAsync(publish, cancellationToken).ConfigureAwait(false) is not { } facts) continue;
                FaultPoints.Reach("tarball.read");
                found.Enqueue(new Found(item, publish, JsonSerializer.Serialize(facts, TarballJson.Default.TarballFacts)));
            }
            catch (Exception e) when (e is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
            {
                item.Fail(e);
            }
        }
    }

    private async Task WriteAsync(ConcurrentQueue<Found> found)
    {
        var some = new List<Found>();
        while (found.TryDequeue(out var one)) some.Add(one);
        if (some.Count == 0) return;
        var rung = doorbell.HasRoom<ReadManifest>();
        var written = await database.WriteUnsyncedAsync(
            sql => Publishes.CheckedAsync(sql, [.. some.Select(static one => (one.Item.Key, one.Facts, one.Item.ElapsedMicroseconds))], rung)).ConfigureAwait(false);
        FaultPoints.Reach("tarball.written");
        foreach (var one in some.Where(one => rung && written.Contains(one.Publish.Id))) checks.Add(one.Publish with { State = PublishStates.Checked, Facts = one.Facts });
        // One message for many: it goes along with the trace of the first.
        some[0].Item.Enter();
        if (rung) await doorbell.RingAllAsync([.. written.Select(static id => new ReadManifest(id))]).ConfigureAwait(false);
        FaultPoints.Reach("tarball.rung");
    }

    private async Task<TarballFacts?> TryReadAsync(PublishRow publish, CancellationToken cancellationToken)
    {
        if (publish.Body is { } body) return Read(publish, new MemoryStream(body, writable: false), cancellationToken);
        var staged = await store.OpenAsync(publish.StagingKey, cancellationToken).ConfigureAwait(false);
        if (staged is null)
        {
            // Another run may have gone all the way to the verdict, which clears the staging.
            var now = await database.ReadAsync(sql => Publishes.FindAsync(sql, publish.Id), cancellationToken).ConfigureAwait(false);
            if (now?.State != PublishStates.Parked) return null;
            throw new InvalidOperationException($"the staged bytes of publish {publish.Id} are gone");
        }

        await using (staged.ConfigureAwait(false)) return Read(publish, staged.Content, cancellationToken);
    }

    private TarballFacts Read(PublishRow publish, Stream archive, CancellationToken cancellationToken)
    {
        var rules = new TarballRules($"{publish.Name}-{publish.Num}")
        {
            UnpackLimit = limits.MaxUnpackedBytes,
            UploadLimit = publish.MaxUploadSize ?? limits.MaxUploadBytes,
            MaxEntries = limits.MaxEntries,
        };
        var facts = TarballReader.Read(archive, rules, cancellationToken);
        // Bytes that changed between the PUT and now are our fault, never the publisher's.
        return facts.Checksum == publish.Checksum && facts.Size == publish.Size
            ? facts
            : throw new InvalidOperationException($"the staged bytes of publish {publish.Id} are not the ones received");
    }

    /// <summary>What was found in an archive, as it is stored.</summary>
    private sealed record Found(StageItem<string> Item, PublishRow Publish, string Facts);
}
