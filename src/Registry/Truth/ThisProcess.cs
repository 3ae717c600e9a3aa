using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Pipeline.Registry.Database;
using Pipeline.Registry.Failures;
using Pipeline.Registry.Telemetry;

namespace Pipeline.Registry.Truth;

/// <summary>This process's row among the living: claims and leases of processes without a row are taken over.</summary>
public sealed class ThisProcess(IDatabase database, StageActivity activity, ILogger<ThisProcess> logger) : BackgroundService
{
    private static readonly TimeSpan Beat = TimeSpan.FromSeconds(10);

    /// <summary>Silent for this long, a process counts as dead.</summary>
    private const long DeadAfter = 60 * Microseconds.Second;

    private readonly Dictionary<string, StageNow> _written = new(StringComparer.Ordinal);
    private string _roles = "";

    /// <summary>The process's id, new at every start.</summary>
    public string Id { get; } = Guid.CreateVersion7().ToString();

    /// <summary>Writes the first sign of life. Alone on its database (the standalone shape), all other rows are of dead processes.</summary>
    public async Task EnterAsync(bool alone, string roles)
    {
        _roles = roles;
        await database.WriteAsync(async sql =>
        {
            if (alone) await sql.ExecuteAsync("DELETE FROM processes").ConfigureAwait(false);
            return await LiveAsync(sql).ConfigureAwait(false);
        }).ConfigureAwait(false);
    }

    /// <summary>Ends the signs of life: what this process still holds is free at once. Everything that works under its name must have ended.</summary>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await database.WriteAsync(sql => sql.ExecuteAsync("DELETE FROM processes WHERE id = $1", Id), cancellationToken).ConfigureAwait(false);
        }
        catch (TransientException e)
        {
            logger.LogWarning(e, "the end of this process could not be written; it counts as alive for a minute");
        }
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Beat);
        while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false))
        {
            try
            {
                List<StageNow> news = [.. activity.Now().Where(now => _written.GetValueOrDefault(now.Stage) != now)];
                await database.WriteAsync(async sql =>
                {
                    await LiveAsync(sql).ConfigureAwait(false);
                    foreach (var now in news) await NoteAsync(sql, now).ConfigureAwait(false);
                    await sql.ExecuteAsync("DELETE FROM processes WHERE seen_at < now_us() - $1", DeadAfter).ConfigureAwait(false);
                    return await sql.ExecuteAsync("DELETE FROM process_stages WHERE process NOT IN (SELECT id FROM processes)").ConfigureAwait(false);
                }, stoppingToken).ConfigureAwait(false);
                foreach (var now in news) _written[now.Stage] = now;
            }
            catch (TransientException e)
            {
                logger.LogWarning(e, "no sign of life could be written");
            }
        }
    }

    private ValueTask<int> NoteAsync(Statements sql, StageNow now) => sql.ExecuteAsync(
        """
        INSERT INTO process_stages (process, stage, running, done_per_minute) VALUES ($1, $2, $3, $4)
        ON CONFLICT (process, stage) DO UPDATE SET running = excluded.running, done_per_minute = excluded.done_per_minute
        """,
        Id, now.Stage, now.Running, now.DonePerMinute);

    // Written anew when it is gone: a process that slept for minutes was taken for dead, and lives.
    private ValueTask<int> LiveAsync(Statements sql) => sql.ExecuteAsync(
        "INSERT INTO processes (id, roles, started_at, seen_at) VALUES ($1, $2, now_us(), now_us()) ON CONFLICT (id) DO UPDATE SET seen_at = now_us()", Id, _roles);
}
