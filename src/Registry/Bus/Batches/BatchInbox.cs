using Microsoft.Extensions.Hosting;
using Pipeline.Registry.Failures;
using Pipeline.Registry.Options;
using Pipeline.Registry.Telemetry;

namespace Pipeline.Registry.Bus.Batches;

/// <summary>What the engine of batches needs of this process.</summary>
public sealed record BatchServices(
    Stages Stages, StageFailures Failures, IDoorbell Doorbell, BatchMessages Messages, StageActivity Activity, WorkerOptions Options, IHostApplicationLifetime Lifetime, TimeProvider Clock);

/// <summary>
/// Where the messages of one stage wait for their turn. Whoever is free takes all that wait, up to a bound, and works on it as one batch: nothing
/// waits for others to come, and a busy stage has larger batches. A further batch begins beside one that is slow, so that a slow key holds up
/// its own batch alone.
/// </summary>
public sealed class BatchInbox<TBell, TKey>(Func<TBell, TKey> keyOf, Batching batching, IBatchConsumer<TKey> consumer, BatchServices services) : IAsyncDisposable
    where TBell : class
    where TKey : notnull
{
    private static readonly TimeSpan Slow = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan LongestEnd = TimeSpan.FromSeconds(10);

    private readonly Lock _gate = new();
    private readonly Queue<Message> _waiting = new();
    private readonly int _lanes = Math.Max(1, batching.Lanes(services.Options));
    private readonly Stage _stage = services.Stages.Of(typeof(TBell));
    // Batches at work, and those of them that hold up the next.
    private int _open;
    private int _busy;
    private bool _isWatched;
    private TaskCompletionSource? _ended;

    /// <summary>
    /// Has the keys of a message worked on, with whatever else waits. The task ends when they are, well or not: failures are rows; or, of messages
    /// that are not held, when they are taken.
    /// </summary>
    public Task WorkAsync(TBell bell)
    {
        var message = new Message(bell);
        lock (_gate) _waiting.Enqueue(message);
        TryBegin(isSlow: false);
        return message.Done.Task;
    }

    /// <summary>Waits a while for the batches at work: they need the database, which is closed after this. Rows of those that do not end wait for the next start.</summary>
    public async ValueTask DisposeAsync()
    {
        lock (_gate)
        {
            if (_open == 0) return;
            _ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        await Task.WhenAny(_ended.Task, Task.Delay(LongestEnd)).ConfigureAwait(false);
    }

    private void TryBegin(bool isSlow)
    {
        lock (_gate)
        {
            if (_waiting.Count == 0) return;
            if (_busy > 0 && !(isSlow && _busy < _lanes))
            {
                if (_isWatched || _busy >= _lanes) return;
                _isWatched = true;
                _ = WatchAsync();
                return;
            }

            _busy++;
            _open++;
        }

        // Not in the trace of whoever rang.
        ThreadPool.UnsafeQueueUserWorkItem(static inbox => _ = inbox.RunAsync(), this, preferLocal: false);
    }

    /// <summary>Begins a batch beside those at work when they are slow.</summary>
    private async Task WatchAsync()
    {
        await Task.Delay(Slow, services.Clock).ConfigureAwait(false);
        lock (_gate) _isWatched = false;
        TryBegin(isSlow: true);
    }

    private async Task RunAsync()
    {
        var messages = Take();
        var freed = 0;
        try
        {
            if (messages.Count > 0) await RunAsync(messages, FreeOnce).ConfigureAwait(false);
        }
        finally
        {
            FreeOnce();
            foreach (var message in messages) message.Done.TrySetResult();
            lock (_gate)
            {
                _open--;
                if (_open == 0) _ended?.TrySetResult();
            }
        }

        void FreeOnce()
        {
            if (Interlocked.Exchange(ref freed, 1) != 0) return;
            lock (_gate) _busy--;
            TryBegin(isSlow: false);
        }
    }

    private List<Message> Take()
    {
        var (messages, keys) = (new List<Message>(), 0);
        lock (_gate)
        {
            while (keys < batching.Most && _waiting.TryDequeue(out var message))
            {
                message.Bells = services.Doorbell.Take(message.Bell, batching.Most - keys);
                keys += message.Bells.Count;
                messages.Add(message);
            }
        }

        if (!services.Messages.AreHeld) messages.ForEach(static message => message.Done.TrySetResult());
        return messages;
    }

    private async Task RunAsync(List<Message> messages, Action free)
    {
        var stopping = services.Lifetime.ApplicationStopping;
        var bells = messages.SelectMany(static message => message.Bells).ToList();
        // A key that was rung twice is worked on once.
        var byKey = new Dictionary<TKey, TBell>(bells.Count);
        foreach (var bell in bells) byKey.TryAdd(keyOf(bell), bell);
        var items = byKey.Keys.Select(key => new StageItem<TKey>(key, new StageRun(_stage.Queue, services.Activity))).ToList();
        try
        {
            await services.Doorbell.TakenAsync(typeof(TBell), bells.Count).ConfigureAwait(false);
            await consumer.ConsumeAsync(new StageBatch<TKey>(items, free), stopping).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // The process is going down: the rows still wait, the sweep rings.
            foreach (var item in items) item.Outcome = StageRun.Stopped;
        }
        catch (Exception e)
        {
            foreach (var item in items) item.Fail(e);
        }

        await EndAsync(items, byKey).ConfigureAwait(false);
    }

    private async Task EndAsync(List<StageItem<TKey>> items, Dictionary<TKey, TBell> byKey)
    {
        var good = new List<string>(items.Count);
        foreach (var item in items)
        {
            var bell = byKey[item.Key];
            if (item.Failure is { } failure)
            {
                item.MarkFailed();
                await services.Failures.FileAsync(_stage, _stage.Key(bell), failure, () => services.Doorbell.RingAsync(bell)).ConfigureAwait(false);
            }
            else if (item.Outcome != StageRun.Stopped)
            {
                good.Add(_stage.Key(bell));
            }

            item.End();
        }

        await services.Failures.ResolveAsync(_stage, good).ConfigureAwait(false);
    }

    /// <summary>A message that waits, or is worked on.</summary>
    private sealed class Message(TBell bell)
    {
        public TBell Bell { get; } = bell;

        public IReadOnlyList<TBell> Bells { get; set; } = [];

        public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
