namespace Pipeline.Registry.Database;

/// <summary>
/// What waits for the one thread that writes, in order and bounded. That thread sleeps and wakes by a monitor: waiting for a channel it
/// would spin first, and each wake would take a turn through the thread pool.
/// </summary>
/// <param name="capacity">The most that waits; who adds more waits too.</param>
internal sealed class WriteQueue<T>(int capacity) : IDisposable
{
    private readonly SemaphoreSlim _room = new(capacity);
    private readonly Queue<T> _waiting = new();
    private bool _closed;

    /// <summary>Adds an item once there is room.</summary>
    /// <exception cref="ObjectDisposedException">The queue is closed.</exception>
    public async ValueTask AddAsync(T item, CancellationToken cancellationToken)
    {
        await _room.WaitAsync(cancellationToken).ConfigureAwait(false);
        lock (_waiting)
        {
            ObjectDisposedException.ThrowIf(_closed, this);
            _waiting.Enqueue(item);
            Monitor.Pulse(_waiting);
        }
    }

    /// <summary>Waits for items and moves up to <paramref name="most"/> of them into a list. False: the queue is closed and empty.</summary>
    public bool Take(List<T> items, int most)
    {
        lock (_waiting)
        {
            while (_waiting.Count == 0)
            {
                if (_closed) return false;
                Monitor.Wait(_waiting);
            }

            while (items.Count < most && _waiting.TryDequeue(out var item)) items.Add(item);
        }

        _room.Release(items.Count);
        return true;
    }

    /// <summary>Takes no more items; those that wait are still handed out. False: it was closed before.</summary>
    public bool Close()
    {
        lock (_waiting)
        {
            if (_closed) return false;
            _closed = true;
            Monitor.PulseAll(_waiting);
            return true;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _room.Dispose();
}
