using Pipeline.Registry.Changes;
using Pipeline.Registry.Database;

namespace Pipeline.Api.Changes;

/// <summary>Waits for changes on behalf of readers of the feed. However many wait, the database is asked four times a second.</summary>
public sealed class ChangeWatch(IDatabase database)
{
    /// <summary>The longest a reader may wait, in seconds.</summary>
    public const int MostSeconds = 60;

    private const int MostWaiting = 1000;
    private static readonly TimeSpan Every = TimeSpan.FromMilliseconds(250);

    private readonly Lock _gate = new();
    private Task<long>? _next;
    private int _waiting;

    /// <summary>How many wait now.</summary>
    public int Waiting => Volatile.Read(ref _waiting);

    /// <summary>Returns when the feed reaches beyond a change, or when the time is over, or at once when too many wait already.</summary>
    /// <param name="after">The change's id.</param>
    /// <param name="longest">How long at most.</param>
    /// <param name="cancellationToken">The reader has gone.</param>
    public async ValueTask WaitAsync(long after, TimeSpan longest, CancellationToken cancellationToken)
    {
        try
        {
            if (Interlocked.Increment(ref _waiting) <= MostWaiting) await WaitForAsync(after, longest, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }
    }

    private async ValueTask WaitForAsync(long after, TimeSpan longest, CancellationToken cancellationToken)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        end.CancelAfter(longest);
        try
        {
            while (await NextAsync().WaitAsync(end.Token).ConfigureAwait(false) <= after)
            {
            }
        }
        catch (OperationCanceledException)
        {
            // The time is over, or nobody listens any more: the answer is what there is.
        }
    }

    /// <summary>The look that is under way, or the next one: all who wait share it.</summary>
    private Task<long> NextAsync()
    {
        lock (_gate) return _next is { IsCompleted: false } next ? next : _next = LookAsync();
    }

    private async Task<long> LookAsync()
    {
        await Task.Delay(Every).ConfigureAwait(false);
        return await database.ReadAsync(ChangeFeed.SettledAsync).ConfigureAwait(false);
    }
}
