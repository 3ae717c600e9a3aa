using Pipeline.Registry.Store;

namespace Pipeline.Api.Publishing;

/// <summary>
/// Whether the object store answers. A small upload is parked without it, but its stages are not done without it, so the publisher would wait
/// for a verdict that nobody can give: publishing answers 503 while the store is away (design, section 8).
/// </summary>
internal sealed class StoreReach(IObjectStore store, StoreOptions options, TimeProvider clock)
{
    private readonly Lock _gate = new();
    private Task? _question;
    private long _askedAt;

    /// <summary>Returns when the store has answered, now or within <see cref="StoreOptions.Freshness"/>. Who asks meanwhile waits for the same answer.</summary>
    /// <exception cref="Registry.Failures.TransientException">It is away.</exception>
    public Task AskAsync(CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (_question is { IsCompletedSuccessfully: true } && clock.GetElapsedTime(_askedAt) < options.Freshness) return Task.CompletedTask;
            if (_question is null || _question.IsCompleted)
            {
                _askedAt = clock.GetTimestamp();
                _question = QuestionAsync();
            }

            return _question.WaitAsync(cancellationToken);
        }
    }

    // A store that is a folder throws at once: here that is an answer too.
    private async Task QuestionAsync() => await store.ProbeAsync(CancellationToken.None).ConfigureAwait(false);
}
