using Microsoft.Extensions.Logging;
using Pipeline.Registry.Bus;

namespace Pipeline.Registry.Failures;

/// <summary>
/// What follows the end of a run, for every stage: a failure becomes a row (<see cref="FailureLog"/>), and a short wait for the next try is kept
/// in memory; a longer one is the sweep's. Success resolves what failed before.
/// </summary>
public sealed class StageFailures(FailureLog failures, ILogger<StageFailures> logger)
{
    private static readonly TimeSpan LongestInMemory = TimeSpan.FromSeconds(5);

    /// <summary>Files a failure.</summary>
    /// <param name="stage">The stage.</param>
    /// <param name="key">The key it failed for.</param>
    /// <param name="failure">How.</param>
    /// <param name="ring">Rings for the key again.</param>
    public async ValueTask FileAsync(Stage stage, string key, Exception failure, Func<ValueTask> ring)
    {
        ArgumentNullException.ThrowIfNull(stage);
        ArgumentNullException.ThrowIfNull(failure);
        ArgumentNullException.ThrowIfNull(ring);
        if (failure is TransientException && stage.Replay is null)
        {
            // Nothing of such a stage waits or is tried again, so no later run would resolve the row.
            logger.LogWarning(failure, "{Stage} {Key} failed for now, and nothing is lost by it", stage.Queue, key);
            return;
        }

        try
        {
            var delay = await failures.RecordAsync(stage, key, failure).ConfigureAwait(false);
            if (delay <= LongestInMemory) _ = RingLaterAsync(ring, delay.Value);
        }
        catch (TransientException e)
        {
            // The database is away: nothing can be noted, and nothing need be. The row stands as it was, and the sweep rings it again.
            logger.LogError(e, "{Stage} {Key} failed and the failure could not be noted: {Failure}", stage.Queue, key, failure.Message);
        }
    }

    /// <summary>The work of some keys was done: their open failures are resolved, now or, while the database is away, with the next success.</summary>
    public async ValueTask ResolveAsync(Stage stage, IReadOnlyList<string> keys)
    {
        try
        {
            await failures.ResolveAsync(stage, keys).ConfigureAwait(false);
        }
        catch (TransientException e)
        {
            logger.LogWarning(e, "{Stage}: whether failures are over could not be noted", stage.Queue);
        }
    }

    private static async Task RingLaterAsync(Func<ValueTask> ring, TimeSpan delay)
    {
        await Task.Delay(delay).ConfigureAwait(false);
        await ring().ConfigureAwait(false);
    }
}
