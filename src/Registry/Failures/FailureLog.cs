using System.Collections.Concurrent;
using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Pipeline.Registry.Bus;
using Pipeline.Registry.Database;

namespace Pipeline.Registry.Failures;

/// <summary>
/// The one place that decides what follows a failure. Transient: the row's next try is stored, with backoff and jitter. Anything else
/// is a fault: a bug, parked until somebody replays it. Both are rows that can be seen; the message itself is done.
/// </summary>
public sealed class FailureLog(IDatabase database, ILogger<FailureLog> logger, TimeProvider? clock = null)
{
    /// <summary>A next try that never comes by itself: the row is parked until it is replayed.</summary>
    public const long Parked = long.MaxValue / 4;

    /// <summary>The code of a message that could not be read.</summary>
    public const string UnreadableMessage = "unreadable-message";

    /// <summary>The code of a message that no consumer wanted.</summary>
    public const string SkippedMessage = "skipped-message";

    /// <summary>Who replays a failure sooner than this after it was seen may have it resolved by nobody: see <see cref="ResolveAsync(Stage, string)"/>.</summary>
    public static readonly TimeSpan Settles = TimeSpan.FromSeconds(FirstDelaySeconds);

    private const double FirstDelaySeconds = 0.5;
    private const double LongestDelaySeconds = 600;
    private const int MaxText = 2000;

    private const int MostMissed = 10_000;

    private const string ResolveSql = "UPDATE failures SET resolved_at = now_us() WHERE stage = $1 AND key = $2 AND resolved_at IS NULL";

    // Most stages never fail, so the success path asks seldom. A failure is tried again no sooner than three quarters of the first delay:
    // who saw none open since then, noted by this process or any other, has none to resolve.
    private static readonly TimeSpan Trusted = TimeSpan.FromSeconds(0.6 * FirstDelaySeconds);

    private readonly TimeProvider _clock = clock ?? TimeProvider.System;
    // Keys that came to a good end, until their failures are known to be resolved: the database may have been away.
    private readonly ConcurrentDictionary<(string Stage, string Key), bool> _missed = new();
    private long _noneOpenAt;

    /// <summary>Files a failure and puts off its row. Returns when it is tried next; null when it is parked.</summary>
    /// <param name="stage">The stage.</param>
    /// <param name="key">The key it failed for.</param>
    /// <param name="exception">How.</param>
    /// <param name="traceParent">The trace it belongs to; null: the current one.</param>
    public async ValueTask<TimeSpan?> RecordAsync(Stage stage, string key, Exception exception, string? traceParent = null)
    {
        var transient = exception as TransientException;
        var (kind, code) = transient is null ? ("fault", exception.GetType().Name) : ("transient", transient.Code);
        var text = exception.Message.Length > MaxText ? exception.Message[..MaxText] : exception.Message;
        var trace = ActivityContext.TryParse(traceParent, null, out var cause) ? cause.TraceId.ToString() : Activity.Current?.TraceId.ToString();
        Volatile.Write(ref _noneOpenAt, 0);
        _missed.TryRemove((stage.Queue, key), out _);
        var delay = await database.WriteAsync(
            async sql =>
            {
                var (id, count) = await InsertAsync(sql, stage.Queue, key, kind, code, text, trace).ConfigureAwait(false);
                TimeSpan? wait = transient is null ? null : Backoff(count);
                if (stage.DelaySql is null) return wait;
                var next = wait is null ? Parked : await sql.NowAsync().ConfigureAwait(false) + Microseconds.Of(wait.Value);
                await sql.ExecuteAsync("UPDATE failures SET next_try_at = $2 WHERE id = $1", id, next).ConfigureAwait(false);
                var waits = await sql.ExecuteAsync(stage.DelaySql, key, text, next).ConfigureAwait(false) > 0;
                // Another run has done the work meanwhile, so no run comes back to resolve this one. A fault stands until somebody has looked.
                if (!waits && wait is not null) await sql.ExecuteAsync("UPDATE failures SET resolved_at = now_us() WHERE id = $1", id).ConfigureAwait(false);
                return wait;
            }).ConfigureAwait(false);

        if (transient is not null) logger.LogWarning(exception, "{Stage} {Key} failed for now ({Code}), next try in {Delay}, trace {trace_id}", stage.Queue, key, code, delay, trace);
        else logger.LogError(exception, "{Stage} {Key} is parked: {Code}, trace {trace_id}", stage.Queue, key, code, trace);
        return delay;
    }

    /// <summary>Files a message that no consumer could be given: there is no row to put off, so it stands until somebody looks.</summary>
    /// <param name="stage">The queue it was sent to.</param>
    /// <param name="key">What tells it from other messages.</param>
    /// <param name="code">A stable word, or the name of an exception.</param>
    /// <param name="text">What was wrong with it.</param>
    /// <param name="trace">The trace it belongs to, if it said so.</param>
    public async ValueTask RecordUnreadableAsync(string stage, string key, string code, string text, string? trace)
    {
        ArgumentNullException.ThrowIfNull(text);
        await database.WriteAsync(sql => InsertAsync(sql, stage, key, "fault", code, text.Length > MaxText ? text[..MaxText] : text, trace)).ConfigureAwait(false);
        logger.LogError("a message to {Stage} cannot be read ({Code}) and is filed as {Key}", stage, code, key);
    }

    /// <summary>Files a failure in the caller's transaction, for who keeps the row's next try itself.</summary>
    /// <param name="sql">The open transaction.</param>
    /// <param name="stage">The stage.</param>
    /// <param name="key">The key it failed for.</param>
    /// <param name="kind"><c>reject</c>, <c>transient</c> or <c>fault</c>.</param>
    /// <param name="code">A stable word.</param>
    /// <param name="text">What was wrong.</param>
    public static async ValueTask NoteAsync(Statements sql, string stage, string key, string kind, string code, string text)
    {
        ArgumentNullException.ThrowIfNull(sql);
        ArgumentNullException.ThrowIfNull(text);
        await InsertAsync(sql, stage, key, kind, code, text.Length > MaxText ? text[..MaxText] : text, Activity.Current?.TraceId.ToString()).ConfigureAwait(false);
    }

    /// <summary>The key's work is done with the caller's transaction: its open failures are resolved with it, whatever becomes of this process after.</summary>
    public static ValueTask<int> ResolveAsync(Statements sql, string stage, string key)
    {
        ArgumentNullException.ThrowIfNull(sql);
        return sql.ExecuteAsync(ResolveSql, stage, key);
    }

    /// <summary>The key's work was done after all: its open failures are resolved.</summary>
    public ValueTask ResolveAsync(Stage stage, string key) => ResolveAsync(stage, [key]);

    /// <summary>The work of some keys of a stage was done after all: their open failures are resolved.</summary>
    /// <exception cref="TransientException">The database is away; the next call makes up for it.</exception>
    public async ValueTask ResolveAsync(Stage stage, IReadOnlyList<string> keys)
    {
        ArgumentNullException.ThrowIfNull(stage);
        ArgumentNullException.ThrowIfNull(keys);
        var seen = Volatile.Read(ref _noneOpenAt);
        if (keys.Count == 0 || (seen != 0 && _clock.GetElapsedTime(seen) < Trusted)) return;
        var asked = _clock.GetTimestamp();
        if (_missed.Count < MostMissed)
        {
            foreach (var key in keys) _missed.TryAdd((stage.Queue, key), true);
        }

        var over = _missed.Keys.ToList();
        var (any, open) = await database.ReadAsync(sql => OpenAsync(sql, over)).ConfigureAwait(false);
        if (open.Count > 0)
        {
            await database.WriteAsync(
                async sql =>
                {
                    foreach (var (queue, key) in open) await sql.ExecuteAsync(ResolveSql, queue, key).ConfigureAwait(false);
                    return open.Count;
                }).ConfigureAwait(false);
        }

        foreach (var one in over) _missed.TryRemove(one, out _);
        if (!any) Volatile.Write(ref _noneOpenAt, asked);
    }

    private static async ValueTask<(bool Any, List<(string Stage, string Key)> Open)> OpenAsync(Statements sql, List<(string Stage, string Key)> of)
    {
        var open = new List<(string Stage, string Key)>();
        if (await sql.LongAsync("SELECT 1 FROM failures WHERE resolved_at IS NULL LIMIT 1").ConfigureAwait(false) is null) return (false, open);
        foreach (var stage in of.GroupBy(static one => one.Stage))
        {
            open.AddRange(await OpenAsync(sql, stage.Key, JsonTexts.Write(stage.Select(static one => one.Key))).ConfigureAwait(false));
        }

        return (true, open);
    }

    private static ValueTask<List<(string Stage, string Key)>> OpenAsync(Statements sql, string stage, string keys) => sql.QueryAsync(
        $"SELECT DISTINCT stage, key FROM failures WHERE stage = $1 AND resolved_at IS NULL AND key IN {sql.Dialect.TextList("$2")}",
        static row => (row.Text(0), row.Text(1)), stage, keys);

    private static ValueTask<(long Id, long Count)> InsertAsync(Statements sql, string stage, string key, string kind, string code, string text, string? trace) =>
        sql.FirstAsync(
            """
            INSERT INTO failures (stage, key, kind, code, text, trace_id, first_seen, last_seen)
            VALUES ($1, $2, $3, $4, $5, $6, now_us(), now_us())
            ON CONFLICT (stage, key, code) WHERE resolved_at IS NULL
            DO UPDATE SET count = failures.count + 1, last_seen = now_us(), text = excluded.text, trace_id = excluded.trace_id
            RETURNING id, count
            """,
            static row => (row.Long(0), row.Long(1)),
            stage, key, kind, code, text, trace);

    private static TimeSpan Backoff(long count)
    {
        var seconds = Math.Min(LongestDelaySeconds, FirstDelaySeconds * Math.Pow(2, Math.Min(count - 1, 20)));
        // Jitter: what failed together must not come back together.
        return TimeSpan.FromSeconds(seconds * (0.75 + (Random.Shared.NextDouble() / 2)));
    }
}
