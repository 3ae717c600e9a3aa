using System.Globalization;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Pipeline.Contracts.Notices;
using Pipeline.Registry.Bus;
using Pipeline.Registry.Changes;
using Pipeline.Registry.Database;
using Pipeline.Registry.Failures;
using Pipeline.Registry.Faults;
using Pipeline.Registry.Options;

namespace Pipeline.Workers.Notices;

/// <summary>Tells each webhook what it has not been told, in order, until nothing is left or it fails. Each webhook has a drain of its own.</summary>
public sealed class WebhookDrains(
    IDatabase database, WebhookRows rows, NoticeClient client, NoticeOptions options, FailureLog failures, Stages stages, IDoorbell doorbell, TimeProvider clock, ILogger<WebhookDrains> logger)
    : IAsyncDisposable
{
    private const int PageSize = 100;

    // Until the next sweep a longer wait would be over anyway.
    private static readonly TimeSpan LongestInMemory = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan AfterFault = TimeSpan.FromMinutes(10);

    private readonly Dictionary<long, Drain> _drains = [];
    private readonly CancellationTokenSource _stopping = new();

    /// <summary>How often it is looked for webhooks that are to be told.</summary>
    public BellPace Pace { get; } = new(TimeSpan.FromMilliseconds(100), clock);

    private Stage Stage => stages.Of(typeof(SendNotices));

    /// <summary>Begins to tell a webhook; when that is under way, it looks once more at its end.</summary>
    public void Begin(long id)
    {
        lock (_drains)
        {
            if (_stopping.IsCancellationRequested) return;
            if (_drains.TryGetValue(id, out var under)) under.IsAsked = true;
            else _drains[id] = new Drain { Task = Task.Run(() => DrainAsync(id)) };
        }
    }

    /// <summary>Returns when no webhook is being told any more.</summary>
    public async Task WhenIdleAsync()
    {
        while (true)
        {
            Task[] running;
            lock (_drains) running = [.. _drains.Values.Select(static drain => drain.Task)];
            if (running.Length == 0) return;
            await Task.WhenAll(running).ConfigureAwait(false);
        }
    }

    /// <summary>Ends what is under way: a delivery that is not answered yet is made again by the next process, with the same id.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        await WhenIdleAsync().ConfigureAwait(false);
        _stopping.Dispose();
    }

    private async Task DrainAsync(long id)
    {
        do
        {
            try
            {
                await OnceAsync(id).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
            {
                // The process is going down: the rows say what is left.
            }
            catch (TransientException e)
            {
                logger.LogWarning("webhook {Webhook} cannot be told now, the sweep rings again: {Reason}", id, e.Message);
            }
        }
        while (!IsOver(id));
    }

    private bool IsOver(long id)
    {
        lock (_drains)
        {
            if (_drains[id].IsAsked && !_stopping.IsCancellationRequested)
            {
                _drains[id].IsAsked = false;
                return false;
            }

            return _drains.Remove(id);
        }
    }

    private async Task OnceAsync(long id)
    {
        if (await database.WriteAsync(sql => rows.TakeAsync(sql, id), _stopping.Token).ConfigureAwait(false) is not { } hook) return;
        try
        {
            var epoch = await database.ReadAsync(ChangeFeed.EpochAsync).ConfigureAwait(false);
            foreach (var change in await database.ReadAsync(sql => WebhookRows.ReplayedAsync(sql, id)).ConfigureAwait(false)) await ReplayAsync(hook, epoch, change).ConfigureAwait(false);
            if (!await database.ReadAsync(sql => WebhookRows.MustWaitAsync(sql, id)).ConfigureAwait(false)) await TellAsync(hook, epoch).ConfigureAwait(false);
        }
        catch (Exception e) when (e is not (TransientException or OperationCanceledException))
        {
            await database.WriteAsync(sql => rows.FailedAsync(sql, id, e.Message, AfterFault)).ConfigureAwait(false);
            await failures.RecordAsync(Stage, KeyOf(id), e).ConfigureAwait(false);
        }
        finally
        {
            await database.WriteAsync(sql => rows.ReleaseAsync(sql, id)).ConfigureAwait(false);
        }
    }

    /// <summary>Tells what is behind the watermark, one notice after the other.</summary>
    private async Task TellAsync(Webhook hook, string epoch)
    {
        while (true)
        {
            var (from, now) = (hook.Watermark, hook);
            var page = await database.ReadAsync(sql => ChangeFeed.ReadAsync(sql, from, PageSize), _stopping.Token).ConfigureAwait(false);
            if (page.Changes.Count == 0) return;
            foreach (var change in page.Changes.Where(hook.Wants))
            {
                try
                {
                    await SendAsync(now, epoch, change).ConfigureAwait(false);
                }
                catch (TransientException e)
                {
                    await FailedAsync(now, change, e).ConfigureAwait(false);
                    return;
                }

                FaultPoints.Reach("notices.sent");
                if (!await database.WriteAsync(sql => rows.ToldAsync(sql, hook.Id, change.Id)).ConfigureAwait(false)) return;
                if (now.Failing > 0) await failures.ResolveAsync(Stage, KeyOf(hook.Id)).ConfigureAwait(false);
                now = now with { Watermark = change.Id, Attempts = 0, Failing = 0 };
            }

            var last = page.Changes[^1].Id;
            if (now.Watermark < last && !await database.WriteAsync(sql => rows.PassedAsync(sql, hook.Id, last)).ConfigureAwait(false)) return;
            hook = now with { Watermark = last };
        }
    }

    private async Task FailedAsync(Webhook hook, Change change, TransientException failure)
    {
        var wait = NoticeRules.Wait(hook.Failing + 1, options.FirstWaitSeconds, Random.Shared.NextDouble());
        if (hook.Attempts + 1 < options.Attempts)
        {
            await database.WriteAsync(sql => rows.FailedAsync(sql, hook.Id, failure.Message, wait)).ConfigureAwait(false);
            await failures.RecordAsync(Stage, KeyOf(hook.Id), failure).ConfigureAwait(false);
        }
        else if (await database.WriteAsync(sql => rows.GaveUpAsync(sql, hook, change.Id, failure.Message, wait)).ConfigureAwait(false))
        {
            await failures.RecordAsync(Stage, KeyOf(hook.Id, change.Id), GivenUp(hook, change, failure)).ConfigureAwait(false);
        }

        if (wait <= LongestInMemory) _ = RingLaterAsync(wait);
    }

    /// <summary>Sends a notice once more that was given up. It fails alone: what is behind the watermark does not wait for it.</summary>
    private async Task ReplayAsync(Webhook hook, string epoch, Change change)
    {
        try
        {
            await SendAsync(hook, epoch, change).ConfigureAwait(false);
            await database.WriteAsync(sql => WebhookRows.ToldAfterAllAsync(sql, hook.Id, change.Id)).ConfigureAwait(false);
            await failures.ResolveAsync(Stage, KeyOf(hook.Id, change.Id)).ConfigureAwait(false);
        }
        catch (TransientException e)
        {
            await database.WriteAsync(sql => WebhookRows.FailedAgainAsync(sql, hook.Id, change.Id, e.Message)).ConfigureAwait(false);
            await failures.RecordAsync(Stage, KeyOf(hook.Id, change.Id), GivenUp(hook, change, e)).ConfigureAwait(false);
        }
    }

    private Task SendAsync(Webhook hook, string epoch, Change change)
    {
        using var body = new MemoryStream();
        using (var json = new Utf8JsonWriter(body)) change.Write(json, epoch);
        return client.SendAsync(hook, NoticeRules.Id(epoch, hook.Id, change.Id), body.ToArray(), _stopping.Token);
    }

    private async Task RingLaterAsync(TimeSpan wait)
    {
        await Task.Delay(wait).ConfigureAwait(false);
        await doorbell.RingAsync(new SendNotices()).ConfigureAwait(false);
    }

    private static NoticeGivenUpException GivenUp(Webhook hook, Change change, TransientException failure) =>
        new($"webhook {hook.Id} was not told of {change.Kind} {change.Crate} {change.Version}: {failure.Message}");

    private static string KeyOf(long id) => id.ToString(CultureInfo.InvariantCulture);

    private static string KeyOf(long id, long change) => string.Create(CultureInfo.InvariantCulture, $"{id}/{change}");

    private sealed class Drain
    {
        public required Task Task { get; init; }

        public bool IsAsked { get; set; }
    }
}
