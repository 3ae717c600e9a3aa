using MassTransit;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Pipeline.Registry.Bus;
using Pipeline.Registry.Telemetry;

namespace Pipeline.Registry.Failures;

/// <summary>
/// Stands around every consumer: says that the bell was taken, times the run (<see cref="StageRun"/>), and hands whatever the consumer throws
/// to <see cref="FailureLog"/>.
/// The message is done either way, since the failure is a row. Short waits are kept in memory; a longer one is the sweep's.
/// </summary>
public sealed class FailureFilter<T>(Stages stages, FailureLog failures, IDoorbell doorbell, StageActivity activity, IHostApplicationLifetime lifetime, ILogger<FailureFilter<T>> logger) : IFilter<ConsumeContext<T>>
    where T : class
{
    private static readonly TimeSpan LongestInMemory = TimeSpan.FromSeconds(5);

    /// <inheritdoc/>
    public async Task Send(ConsumeContext<T> context, IPipe<ConsumeContext<T>> next)
    {
        // The in-memory queue hands out its messages one after the other, each up to where its consumer first waits for something. A file
        // and SQLite are not waited for, so without this a stage would be one at a time, and a large archive would hold up every other.
        await Task.Yield();
        await doorbell.TakenAsync(typeof(T)).ConfigureAwait(false);
        var stage = stages.Of(typeof(T));
        var key = stage.Key(context.Message);
        using var run = new StageRun(stage.Queue, activity);
        context.AddOrUpdatePayload(() => run, _ => run);
        try
        {
            await next.Send(context).ConfigureAwait(false);
            await failures.ResolveAsync(stage, key).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (lifetime.ApplicationStopping.IsCancellationRequested)
        {
            // The process is going down: the row still waits, the next process's sweep rings.
            run.Outcome = StageRun.Stopped;
        }
        catch (Exception e)
        {
            run.Fail(e);
            await FileAsync(stage, key, context.Message, e).ConfigureAwait(false);
        }
    }

    /// <inheritdoc/>
    public void Probe(ProbeContext context) => context.CreateFilterScope("failures");

    private async Task FileAsync(Stage stage, string key, T bell, Exception failure)
    {
        try
        {
            var delay = await failures.RecordAsync(stage, key, failure).ConfigureAwait(false);
            if (delay <= LongestInMemory) _ = RingLaterAsync(bell, delay.Value);
        }
        catch (TransientException e)
        {
            // The database is away: nothing can be noted, and nothing need be. The row stands as it was, and the sweep rings it again.
            logger.LogError(e, "{Stage} {Key} failed and the failure could not be noted: {Failure}", stage.Queue, key, failure.Message);
        }
    }

    private async Task RingLaterAsync(T bell, TimeSpan delay)
    {
        await Task.Delay(delay).ConfigureAwait(false);
        await doorbell.RingAsync(bell).ConfigureAwait(false);
    }
}
