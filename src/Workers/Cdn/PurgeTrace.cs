using System.Diagnostics;
using Pipeline.Registry.Cdn;
using Pipeline.Registry.Telemetry;

namespace Pipeline.Workers.Cdn;

/// <summary>
/// What one batch of purges says of itself. It serves many publishes, so it is a trace of its own, linked to theirs; and each of theirs gets
/// a span <c>purge-cdn</c> over the time of the batch, so that a publish is one trace to its end.
/// </summary>
internal sealed class PurgeTrace : IDisposable
{
    private readonly Activity _activity;
    private readonly CdnTarget _target;

    private PurgeTrace(Activity activity, CdnTarget target) => (_activity, _target) = (activity, target);

    /// <summary>Starts it; what follows in the caller belongs to the batch.</summary>
    public static PurgeTrace Start(CdnTarget target, TakenBatch batch)
    {
        var activity = Tracing.StartRoot("purge-cdn batch", batch.Purges.Select(static purge => purge.TraceParent));
        activity.SetTag(Tracing.Stage, PurgeCdnDefinition.Queue).SetTag("cdn.target", target.Name).SetTag("batch.purges", batch.Purges.Count);
        return new PurgeTrace(activity, target);
    }

    /// <summary>Notes what became of each purge in the trace of what made it due.</summary>
    public void Note(TakenBatch batch, PurgeProgress progress)
    {
        foreach (var (item, _, traceParent) in batch.Purges)
        {
            var outcome = progress.FailureOf(item)?.Code ?? (progress.IsDone(item) ? StageRun.Done : null);
            if (outcome is null) continue;
            Tracing.Note(
                PurgeCdnDefinition.Queue, traceParent, _activity.StartTimeUtc, _activity,
                new(Tracing.Stage, PurgeCdnDefinition.Queue), new("cdn.target", _target.Name), new("cdn.purge", item.Value), new("outcome", outcome));
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _activity.Dispose();
}
