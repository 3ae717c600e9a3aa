using System.Diagnostics;
using Pipeline.Registry.Database;
using Pipeline.Registry.Telemetry;
using Pipeline.Registry.Truth;

namespace Pipeline.Workers.GitIndex;

/// <summary>
/// What one batch of commits says of itself. It serves many publishes, so it is a trace of its own, linked to theirs; and each of theirs
/// gets a span <c>commit-index</c> over the time of the batch, so that a publish is one trace to its end.
/// </summary>
internal sealed class BatchTrace : IDisposable
{
    private readonly Activity _activity;

    private BatchTrace(Activity activity) => _activity = activity;

    /// <summary>Starts it; what follows in the caller belongs to the batch.</summary>
    public static BatchTrace Start(IReadOnlyList<LaggingCrate> crates)
    {
        var activity = Tracing.StartRoot("commit-index batch", crates.SelectMany(static crate => crate.Causes).Select(static cause => cause.TraceParent));
        activity.SetTag(Tracing.Stage, CommitIndexDefinition.Queue).SetTag("batch.crates", crates.Count);
        return new BatchTrace(activity);
    }

    /// <summary>Notes for every publish that the index shows it now: in its trace, and how long that took.</summary>
    public async Task NoteAsync(IDatabase database, IReadOnlyList<LaggingCrate> reached)
    {
        if (reached.Count == 0) return;
        var now = await database.ReadAsync(static sql => sql.NowAsync()).ConfigureAwait(false);
        foreach (var crate in reached)
        {
            foreach (var cause in crate.Causes) Note(crate, cause, now);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _activity.Dispose();

    private void Note(LaggingCrate crate, Cause cause, long now)
    {
        if (cause.AcceptedAt is { } accepted) PipelineMeter.Indexed(ProjectionKinds.Git, now - accepted);
        Tracing.Note(
            CommitIndexDefinition.Queue, cause.TraceParent, _activity.StartTimeUtc, _activity,
            new(Tracing.Stage, CommitIndexDefinition.Queue), new(Tracing.CrateName, crate.Name));
    }
}
