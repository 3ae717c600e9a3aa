using System.Diagnostics;
using Pipeline.Registry.Telemetry;

namespace Pipeline.Registry.Bus.Batches;

/// <summary>One key of a batch: its span, and how its work ended. One that fails does so alone.</summary>
/// <typeparam name="TKey">The id of a row.</typeparam>
public sealed class StageItem<TKey>
    where TKey : notnull
{
    private readonly StageRun _run;

    internal StageItem(TKey key, StageRun run) => (Key, _run) = (key, run);

    /// <summary>The key; its row is the state.</summary>
    public TKey Key { get; }

    /// <summary>What it failed with; null: it did not.</summary>
    public Exception? Failure { get; private set; }

    /// <summary>How it ended: a word of <see cref="StageRun"/>.</summary>
    public string Outcome
    {
        get => _run.Outcome;
        set => _run.Outcome = value;
    }

    /// <summary>How long its batch has been running, in microseconds.</summary>
    public long ElapsedMicroseconds => _run.ElapsedMicroseconds;

    /// <summary>There is work: starts its span, as a child of what caused it. The span is not made current: the batch works for many.</summary>
    /// <param name="traceParent">W3C context of the cause; null: none is known.</param>
    public Activity Continue(string? traceParent)
    {
        var here = Activity.Current;
        Activity.Current = null;
        var activity = _run.Continue(traceParent);
        Activity.Current = here;
        return activity;
    }

    /// <summary>Makes its span current, so that what is written in the caller has its trace.</summary>
    public void Enter() => Activity.Current = _run.Activity;

    /// <summary>It failed, the others of its batch go on.</summary>
    public void Fail(Exception exception)
    {
        ArgumentNullException.ThrowIfNull(exception);
        Failure ??= exception;
    }

    /// <summary>Ends its span and measures.</summary>
    internal void End()
    {
        _run.Dispose();
        Activity.Current = null;
    }

    /// <summary>Marks its span as failed and makes it current.</summary>
    internal void MarkFailed() => _run.Fail(Failure!);
}
