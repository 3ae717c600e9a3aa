using Pipeline.Registry.Failures;

namespace Pipeline.Registry.Database;

/// <summary>
/// Writes of one kind that many ask for at the same moment, such as all who waited for one sync: they share transactions, and statements.
/// Nobody waits for others to come. When a shared one fails for a fault, each is tried alone, so that the one at fault fails alone.
/// </summary>
/// <param name="database">The database.</param>
/// <param name="write">Writes several, in their order, and returns what came of each. A power cut may take it back (<see cref="IDatabase.WriteUnsyncedAsync"/>).</param>
public sealed class JoinedWrites<TItem, TResult>(IDatabase database, Func<Statements, IReadOnlyList<TItem>, ValueTask<IReadOnlyList<TResult>>> write)
{
    private const int MostTogether = 256;

    private readonly Lock _gate = new();
    private readonly Queue<Request> _waiting = new();
    private bool _isBusy;

    /// <summary>Has an item written.</summary>
    /// <exception cref="TransientException">The database is away or busy; nothing was written.</exception>
    public Task<TResult> WriteAsync(TItem item)
    {
        var request = new Request(item);
        lock (_gate)
        {
            _waiting.Enqueue(request);
            if (!_isBusy)
            {
                _isBusy = true;
                // Behind the others that the same moment has set free.
                ThreadPool.UnsafeQueueUserWorkItem(static self => _ = self.RunAsync(), this, preferLocal: false);
            }
        }

        return request.Done.Task;
    }

    private async Task RunAsync()
    {
        while (true)
        {
            var some = new List<Request>();
            lock (_gate)
            {
                while (some.Count < MostTogether && _waiting.TryDequeue(out var request)) some.Add(request);
                if (some.Count == 0)
                {
                    _isBusy = false;
                    return;
                }
            }

            if (await TryAsync(some).ConfigureAwait(false)) continue;
            foreach (var request in some) await TryAsync([request]).ConfigureAwait(false);
        }
    }

    /// <summary>False: several failed together for a fault, and none has been told.</summary>
    private async Task<bool> TryAsync(List<Request> some)
    {
        try
        {
            var results = await database.WriteUnsyncedAsync(sql => write(sql, some.ConvertAll(static one => one.Item))).ConfigureAwait(false);
            for (var i = 0; i < some.Count; i++) some[i].Done.SetResult(results[i]);
        }
        catch (Exception e)
        {
            if (some.Count > 1 && e is not TransientException) return false;
            foreach (var request in some) request.Done.SetException(e);
        }

        return true;
    }

    private sealed class Request(TItem item)
    {
        public TItem Item { get; } = item;

        public TaskCompletionSource<TResult> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
