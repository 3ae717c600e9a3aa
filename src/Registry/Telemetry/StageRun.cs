using System.Diagnostics;
using MassTransit;
using Pipeline.Registry.Database;
using Pipeline.Registry.Failures;

namespace Pipeline.Registry.Telemetry;

/// <summary>
/// One run of a stage for one bell: its span, how it ended, and how long it took. The filter around every consumer makes and ends it;
/// the consumer, once it has read the row, says which trace it continues.
/// </summary>
public sealed class StageRun : IDisposable
{
    /// <summary>What the bell asked for is done.</summary>
    public const string Done = "done";

    /// <summary>The bell was late, doubled, or had nothing to say.</summary>
    public const string Nothing = "nothing";

    /// <summary>The publish was refused.</summary>
    public const string Rejected = "rejected";

    /// <summary>It could not be done for now.</summary>
    public const string Transient = "transient";

    /// <summary>It failed in a way that nobody foresaw.</summary>
    public const string Fault = "fault";

    /// <summary>The process goes down.</summary>
    public const string Stopped = "stopped";

    private readonly long _started = Stopwatch.GetTimestamp();
    private readonly string _stage;
    private readonly StageActivity _activity;

    /// <summary>Begins.</summary>
    public StageRun(string stage, StageActivity activity)
    {
        ArgumentNullException.ThrowIfNull(activity);
        (_stage, _activity) = (stage, activity);
        activity.Begin(stage);
    }

    /// <summary>How it ended: one of the words above.</summary>
    public string Outcome { get; set; } = Done;

    /// <summary>How many rows it moved, where one bell is for many.</summary>
    public long Moved { get; set; } = 1;

    /// <summary>Its span; null before the consumer has found work.</summary>
    public Activity? Activity { get; private set; }

    /// <summary>How long it has been running.</summary>
    public TimeSpan Elapsed => Stopwatch.GetElapsedTime(_started);

    /// <summary>The same in microseconds.</summary>
    public long ElapsedMicroseconds => Microseconds.Of(Elapsed);

    /// <summary>There is work: what follows in the caller belongs to the trace of its cause.</summary>
    /// <param name="traceParent">W3C context of the cause; null: whatever is current.</param>
    public Activity Continue(string? traceParent)
    {
        Activity = Tracing.Start(_stage, traceParent);
        return Activity.SetTag(Tracing.Stage, _stage);
    }

    /// <summary>It failed. Makes the failed span current, so that what is written down about it has its trace.</summary>
    public void Fail(Exception exception)
    {
        ArgumentNullException.ThrowIfNull(exception);
        Outcome = exception is TransientException ? Transient : Fault;
        if (Activity is null) Activity = Tracing.Start(_stage, null).SetTag(Tracing.Stage, _stage);
        else Activity.Current = Activity;
        Activity.SetStatus(ActivityStatusCode.Error, exception.GetType().Name);
    }

    /// <summary>Ends the span and measures.</summary>
    public void Dispose()
    {
        PipelineMeter.StageDuration.Record(Elapsed.TotalSeconds, new(Tracing.Stage, _stage), new("outcome", Outcome));
        Activity?.SetTag("outcome", Outcome).Dispose();
        _activity.End(_stage, Outcome is Done or Rejected ? Moved : 0);
    }
}

/// <summary>How a consumer comes by its run.</summary>
public static class StageRuns
{
    /// <summary>The run that the filter made for this bell.</summary>
    public static StageRun Run(this ConsumeContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return context.TryGetPayload<StageRun>(out var run) ? run : throw new InvalidOperationException("the bus has no filter for failures");
    }
}
