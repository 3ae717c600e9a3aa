using Microsoft.Extensions.Logging;
using Pipeline.Registry.Database;
using Pipeline.Registry.Failures;
using Pipeline.Registry.Truth;

namespace Pipeline.Registry.Telemetry;

/// <summary>The registry's standing for the metrics: however many ask, the database is asked once in five seconds at most.</summary>
public sealed class StandingCache(IDatabase database, TimeProvider clock, ILogger<StandingCache> logger) : IDisposable
{
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly SemaphoreSlim _one = new(1, 1);
    private Reading _last = new(null, null);

    /// <summary>The standing, at most five seconds old; null: the database cannot be asked, and an older one would be a lie.</summary>
    public async ValueTask<Standing?> ReadAsync()
    {
        if (IsFresh(_last)) return _last.Standing;
        await _one.WaitAsync().ConfigureAwait(false);
        try
        {
            if (!IsFresh(_last)) _last = new Reading(await AskAsync().ConfigureAwait(false), clock.GetTimestamp());
            return _last.Standing;
        }
        finally
        {
            _one.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _one.Dispose();

    private bool IsFresh(Reading reading) => reading.At is { } at && clock.GetElapsedTime(at) < Fresh;

    private async ValueTask<Standing?> AskAsync()
    {
        try
        {
            using var patience = new CancellationTokenSource(Patience);
            return await database.ReadAsync(Standing.ReadAsync, patience.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is TransientException or OperationCanceledException)
        {
            logger.LogDebug(e, "the database cannot be asked how the registry stands");
            return null;
        }
    }

    private sealed record Reading(Standing? Standing, long? At);
}
