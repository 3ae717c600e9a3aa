using MassTransit;
using Pipeline.Contracts.Cdn;
using Pipeline.Contracts.Index;
using Pipeline.Contracts.Notices;
using Pipeline.Contracts.Publishing;
using Pipeline.Contracts.Search;
using Pipeline.Contracts.Upkeep;
using Pipeline.Contracts.Upstream;
using Pipeline.Registry.Bus;
using Pipeline.Registry.Bus.Batches;
using Pipeline.Registry.Truth;
using Pipeline.Workers.Cdn;
using Pipeline.Workers.Fetching;
using Pipeline.Workers.GitIndex;
using Pipeline.Workers.Mail;
using Pipeline.Workers.Manifests;
using Pipeline.Workers.Notices;
using Pipeline.Workers.Rebuilds;
using Pipeline.Workers.Reconciliation;
using Pipeline.Workers.Records;
using Pipeline.Workers.Search;
using Pipeline.Workers.SparseIndex;
using Pipeline.Workers.Squash;
using Pipeline.Workers.Tarballs;
using Pipeline.Workers.Upkeep;
using Pipeline.Workers.Upstream;

namespace Pipeline.Workers;

/// <summary>One worker: its stage and how its consumer is registered.</summary>
/// <param name="Stage">What the bus knows of it.</param>
/// <param name="Consumer">Its consumer.</param>
/// <param name="Register">Adds consumer and definition to the bus.</param>
public sealed record Worker(Stage Stage, Type Consumer, Action<IBusRegistrationConfigurator> Register);

/// <summary>Every worker. A new one is a folder and a line here; a test compares the list with the stage table of the README.</summary>
public static class WorkerCatalogue
{
    private const string DelayDeletion =
        "UPDATE deletions SET attempts = attempts + 1, last_error = $2, next_try_at = $3 WHERE crate_id = CAST($1 AS BIGINT) AND done_at IS NULL";

    private const string ResetDeletion = "UPDATE deletions SET attempts = 0, next_try_at = NULL, rung_at = NULL WHERE crate_id = CAST($1 AS BIGINT) AND done_at IS NULL";

    /// <summary>The workers, in the order a publish meets them.</summary>
    public static readonly IReadOnlyList<Worker> All =
    [
        OfBatch<ValidateTarball, string, ValidateTarballConsumer>(
            "validate-tarball", bell => bell.PublishId, Publishes.DelaySql(PublishStates.Parked), StageReplay.OfRows(Publishes.ResetSql(PublishStates.Parked)),
            new Batching(JoinedBells.MaxKeys, static options => options.TarballConcurrency)),
        OfBatch<ReadManifest, string, ReadManifestConsumer>(
            ReadManifestConsumer.Queue, bell => bell.PublishId, Publishes.DelaySql(PublishStates.Checked), StageReplay.OfRows(Publishes.ResetSql(PublishStates.Checked)),
            new Batching(JoinedBells.MaxKeys, static options => options.ManifestConcurrency)),
        Of<CommitIndex, CommitIndexConsumer, CommitIndexDefinition>(
            "commit-index", _ => "git", null, StageReplay.OfBell("git", new CommitIndex(), GitIndexRow.ResetSql, CommitIndexDefinition.ResetSql)),
        OfBatch<RenderSparse, long, RenderSparseConsumer>(
            "render-sparse", bell => bell.CrateId, DelayOf(ProjectionKinds.Sparse), StageReplay.OfRows(ResetOf(ProjectionKinds.Sparse)),
            new Batching(SparseRenderer.MostTogether, static options => Math.Min(SparseRenderer.MostBatches, options.SparseConcurrency))),
        Of<PurgeCdn, PurgeCdnConsumer, PurgeCdnDefinition>("purge-cdn", _ => "cdn", null, StageReplay.OfBell("cdn", new PurgeCdn(), DuePurges.ResetSql, DuePurges.ResetTargetSql)),
        Of<UpdateSearch, UpdateSearchConsumer, UpdateSearchDefinition>(
            UpdateSearchDefinition.Queue, _ => ProjectionKinds.Search, null, StageReplay.OfBell(ProjectionKinds.Search, new UpdateSearch())),
        Of<SendNotices, SendNoticesConsumer, SendNoticesDefinition>(
            SendNoticesDefinition.Queue, _ => "webhooks", null, StageReplay.OfBell("webhooks", new SendNotices(), WebhookRows.ResetNoticeSql, WebhookRows.ResetWebhookSql)),
        Of<SyncUpstream, SyncUpstreamConsumer, SyncUpstreamDefinition>(
            SyncUpstreamDefinition.Queue, bell => bell.Name, SyncUpstreamDefinition.DelaySql,
            StageReplay.OfRows(SyncUpstreamDefinition.ResetSql, UpstreamItems.ResetSql, UpstreamItems.ResetUpstreamSql)),
        Of<FetchCrate, FetchCrateConsumer, FetchCrateDefinition>(
            FetchCrateDefinition.Queue, _ => FetchCrateDefinition.Key, null, StageReplay.OfBell(FetchCrateDefinition.Key, new FetchCrate(), FileRows.ResetSql)),
        Of<SendMail, SendMailConsumer, SendMailDefinition>(SendMailDefinition.Queue, bell => Text(bell.Id), MailRows.DelaySql, StageReplay.OfRows(MailRows.ResetSql)),
        Of<Sweep, SweepConsumer, SweepDefinition>("sweep", _ => "sweep", null, StageReplay.OfBell("sweep", new Sweep())),
        Of<CleanStaging, CleanStagingConsumer, CleanStagingDefinition>("clean-staging", _ => "staging", null, StageReplay.OfBell("staging", new CleanStaging())),
        Of<RecordCrate, RecordCrateConsumer, RecordCrateDefinition>("record-crate", bell => Text(bell.CrateId), DelayOf(ProjectionKinds.Record), StageReplay.OfRows(ResetOf(ProjectionKinds.Record))),
        Of<DeleteBytes, DeleteBytesConsumer, DeleteBytesDefinition>("delete-bytes", bell => Text(bell.CrateId), DelayDeletion, StageReplay.OfRows(ResetDeletion)),
        Of<SquashIndex, SquashIndexConsumer, SquashIndexDefinition>("squash-index", _ => SquashRow.Key, SquashRow.DelaySql, StageReplay.OfBell(SquashRow.Key, new SquashIndex(), SquashRow.ResetSql)),
        Of<Rebuild, RebuildConsumer, RebuildDefinition>("rebuild", bell => Text(bell.Id), RebuildRows.DelaySql, StageReplay.OfRows(RebuildRows.ResetSql)),
        Of<Reconcile, ReconcileConsumer, ReconcileDefinition>("reconcile", _ => "reconcile", ReconcileRuns.DelaySql, StageReplay.OfRows(ReconcileRuns.ResetSql)),
    ];

    // Of a projection that is done crate by crate.
    private static string DelayOf(string kind) =>
        $"UPDATE projections SET attempts = attempts + 1, last_error = $2, next_try_at = $3 WHERE crate_id = CAST($1 AS BIGINT) AND kind = '{kind}' AND target = '' AND reached < wanted";

    private static string ResetOf(string kind) =>
        $"""
        UPDATE projections SET attempts = 0, next_try_at = NULL, rung_at = NULL
        WHERE crate_id = CAST($1 AS BIGINT) AND kind = '{kind}' AND target = '' AND (reached < wanted OR next_try_at IS NOT NULL)
        """;

    private static string Text(long id) => id.ToString(System.Globalization.CultureInfo.InvariantCulture);

    private static Worker Of<TMessage, TConsumer, TDefinition>(string queue, Func<TMessage, string> key, string? delaySql, StageReplay replay)
        where TMessage : class
        where TConsumer : class, IConsumer<TMessage>
        where TDefinition : class, IConsumerDefinition<TConsumer> => new(
            new Stage(queue, typeof(TMessage), message => key((TMessage)message), delaySql, replay),
            typeof(TConsumer),
            bus => bus.AddConsumer<TConsumer, TDefinition>());

    // A worker whose batches the engine makes (Registry.Bus.Batches).
    private static Worker OfBatch<TMessage, TKey, TConsumer>(string queue, Func<TMessage, TKey> key, string? delaySql, StageReplay replay, Batching batching)
        where TMessage : class
        where TKey : notnull
        where TConsumer : class, IBatchConsumer<TKey> => new(
            new Stage(
                queue, typeof(TMessage), message => Convert.ToString(key((TMessage)message), System.Globalization.CultureInfo.InvariantCulture)!, delaySql, replay, IsBatched: true),
            typeof(TConsumer),
            bus => bus.AddBatchConsumer<TMessage, TKey, TConsumer>(queue, key, batching));
}
