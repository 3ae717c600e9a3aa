using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Pipeline.Registry.Database;
using Pipeline.Registry.Truth;

namespace Pipeline.Api.Publishing;

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
    public Task<Verdict> Enter(string publishId)
    {
        while (true)
        {
            var waiter = _waiting.GetOrAdd(publishId, static _ => new Waiter());
            lock (waiter)
            {
                if (waiter.Gone) continue;
                waiter.Count++;
                return waiter.Verdict.Task;
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

    /// <summary>The bell: reads the verdict if anybody here waits for it.</summary>
    public async ValueTask WakeAsync(string publishId)
    {
        if (_waiting.ContainsKey(publishId)) await ReadAsync([publishId]).ConfigureAwait(false);
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
        foreach (var (id, verdict) in await database.ReadAsync(sql => Publishes.VerdictsAsync(sql, list)).ConfigureAwait(false))
        {
            if (_waiting.TryGetValue(id, out var waiter)) waiter.Verdict.TrySetResult(verdict);
        }
    }

    private sealed class Waiter
    {
        public int Count { get; set; }

        public bool Gone { get; set; }

        public TaskCompletionSource<Verdict> Verdict { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}

[System.Text.Json.Serialization.JsonSerializable(typeof(string[]))]
internal sealed partial class WaiterJson : System.Text.Json.Serialization.JsonSerializerContext;
