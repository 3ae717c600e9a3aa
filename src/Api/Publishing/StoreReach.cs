using Pipeline.Registry.Store;

namespace Pipeline.Api.Publishing;

/// <summary>
/// Whether the object store answers. A small upload is parked without it, but its stages are not done without it, so the publisher would wait
/// for a verdict that nobody can give: publishing answers 503 while the store is away (design, section 8).
/// </summary>
internal sealed class StoreReach(IObjectStore store, StoreOptions options, TimeProvider clock)
{
    private readonly Lock _lock = new();
    private Task _question = Task.CompletedTask;
    private long _answeredAt;

    /// <summary>Returns when the store has answered, now or within <see cref="StoreOptions.Freshness"/>. Who asks meanwhile waits for the same answer.</summary>
    /// <exception cref="Registry.Failures.TransientException">It is away.</exception>
    public Task AskAsync(CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (_question.IsCompleted)
            {
                if (_question.IsCompletedSuccessfully && _answeredAt != 0 && clock.GetElapsedTime(_answeredAt) < options.Freshness) return Task.CompletedTask;
                _question = QuestionAsync();
            }

            return _question.WaitAsync(cancellationToken);
        }
    }

    private async Task QuestionAsync()
    {
        var asked = clock.GetTimestamp();
        await store.ProbeAsync().ConfigureAwait(false);
        Volatile.Write(ref _answeredAt, asked);
    }
}
