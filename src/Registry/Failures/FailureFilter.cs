using MassTransit;
using Microsoft.Extensions.Hosting;
using Pipeline.Registry.Bus;
using Pipeline.Registry.Telemetry;

namespace Pipeline.Registry.Failures;

/// <summary>
/// Stands around every consumer: says that the bell was taken, times the run (<see cref="StageRun"/>), and hands whatever the consumer throws
/// to <see cref="StageFailures"/>. The message is done either way, since the failure is a row. A stage that works in batches does the same
/// for each key (<see cref="Bus.Batches.BatchInbox{TBell,TKey}"/>).
/// </summary>
public sealed class FailureFilter<T>(Stages stages, StageFailures failures, IDoorbell doorbell, StageActivity activity, IHostApplicationLifetime lifetime) : IFilter<ConsumeContext<T>>
    where T : class
{
    private readonly Stage _stage = stages.Of(typeof(T));

    /// <inheritdoc/>
    public async Task Send(ConsumeContext<T> context, IPipe<ConsumeContext<T>> next)
    {
        if (_stage.IsBatched)
        {
            await next.Send(context).ConfigureAwait(false);
            return;
        }

        // The in-memory queue hands out its messages one after the other, each up to where its consumer first waits for something. A file
        // and SQLite are not waited for, so without this a stage would be one at a time, and a large archive would hold up every other.
        await Task.Yield();
        await doorbell.TakenAsync(typeof(T)).ConfigureAwait(false);
        var key = _stage.Key(context.Message);
        using var run = new StageRun(_stage.Queue, activity);
        context.AddOrUpdatePayload(() => run, _ => run);
        try
        {
            await next.Send(context).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (lifetime.ApplicationStopping.IsCancellationRequested || context.CancellationToken.IsCancellationRequested)
        {
            // The process is going down, or the way to the broker was lost and the bus gave the message up: the row still waits, the sweep rings.
            run.Outcome = StageRun.Stopped;
            return;
        }
        catch (Exception e)
        {
            run.Fail(e);
            await failures.FileAsync(_stage, key, e, () => doorbell.RingAsync(context.Message)).ConfigureAwait(false);
            return;
        }

        await failures.ResolveAsync(_stage, [key]).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public void Probe(ProbeContext context) => context.CreateFilterScope("failures");
}
