using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Pipeline.Api.Crates;
using Pipeline.Registry.Database;
using Pipeline.Registry.Truth;

namespace Pipeline.Api.Publishing;

/// <summary>A verdict as it is answered.</summary>
/// <param name="Verdict">The verdict.</param>
/// <param name="Crate">The crate that the version was accepted into; null: it was refused.</param>
internal sealed record Decided(Verdict Verdict, CrateObject? Crate);

/// <summary>
/// The PUTs of this process that wait for a verdict. The fan-out bell wakes one at once; besides, all waiting ids are read in one
/// query per second, so a lost bell costs a second (design §3 "Verdict").
/// </summary>
public sealed class VerdictWaiters(IDatabase database, ILogger<VerdictWaiters> logger) : BackgroundService
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromSeconds(1);

    // Several PUTs may wait for one publish: those that joined it.
    private readonly ConcurrentDictionary<string, Waiter> _waiting = new(StringComparer.Ordinal);

    /// <summary>How many requests wait.</summary>
    public int Requests => _waiting.Values.Sum(static waiter => waiter.Count);

    /// <summary>Starts to wait; call before the bell is rung, and <see cref="Leave"/> in the end.</summary>
    internal Task<Decided> Enter(string publishId)
    {
        while (true)
        {
            var waiter = _waiting.GetOrAdd(publishId, static _ => new Waiter());
            lock (waiter)
            {
                if (waiter.Gone) continue;
                waiter.Count++;
                return waiter.Decided.Task;
            }
        }
    }

    /// <summary>Stops waiting.</summary>
    public void Leave(string publishId)
    {
        if (!_waiting.TryGetValue(publishId, out var waiter)) return;
        lock (waiter)
        {
            if (--waiter.Count > 0) return;
            waiter.Gone = true;
            _waiting.TryRemove(publishId, out _);
        }
    }

    /// <summary>A publish is answered for before its verdict: returns once it is durable that it was received.</summary>
    internal async ValueTask KeepAsync(string publishId) => await database.WriteAsync(sql => Publishes.KeepAsync(sql, publishId)).ConfigureAwait(false);

    /// <summary>The bell: reads the verdicts of those that anybody here waits for.</summary>
    public async ValueTask WakeAsync(IReadOnlyList<string> publishIds)
    {
        var waited = publishIds.Where(_waiting.ContainsKey).ToArray();
        if (waited.Length > 0) await ReadAsync(waited).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(PollInterval);
        while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false))
        {
            try
            {
                if (!_waiting.IsEmpty) await ReadAsync([.. _waiting.Keys]).ConfigureAwait(false);
            }
            catch (Registry.Failures.TransientException e)
            {
                logger.LogWarning(e, "verdicts cannot be read now");
            }
        }
    }

    private async ValueTask ReadAsync(string[] ids)
    {
        var list = JsonSerializer.Serialize(ids, WaiterJson.Default.StringArray);
        foreach (var (id, decided) in await database.ReadAsync(sql => ReadAsync(sql, list)).ConfigureAwait(false))
        {
            if (_waiting.TryGetValue(id, out var waiter)) waiter.Decided.TrySetResult(decided);
        }
    }

    private static async ValueTask<List<(string Id, Decided Decided)>> ReadAsync(Statements sql, string ids)
    {
        var verdicts = await Publishes.VerdictsAsync(sql, ids).ConfigureAwait(false);
        var decided = new List<(string, Decided)>(verdicts.Count);
        foreach (var (id, verdict) in verdicts)
        {
            // Null also when the crate was deleted since.
            var crate = verdict.CrateId is { } crateId ? await CrateViews.CrateObjectAsync(sql, crateId).ConfigureAwait(false) : null;
            decided.Add((id, new Decided(verdict, crate)));
        }

        return decided;
    }

    private sealed class Waiter
    {
        public int Count { get; set; }

        public bool Gone { get; set; }

        public TaskCompletionSource<Decided> Decided { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}

[System.Text.Json.Serialization.JsonSerializable(typeof(string[]))]
internal sealed partial class WaiterJson : System.Text.Json.Serialization.JsonSerializerContext;
