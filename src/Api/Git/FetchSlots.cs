using Pipeline.Api.Http;

namespace Pipeline.Api.Git;

/// <summary>How many fetches run and wait at once.</summary>
public sealed class FetchSlots(GitServeOptions options) : IDisposable
{
    private readonly SemaphoreSlim _free = new(options.Parallel, options.Parallel);
    private int _inside;

    /// <summary>What all fetches together hold of their requests.</summary>
    internal ByteBudget Bodies { get; } = new(FetchRequestBody.MostHeld);

    /// <summary>Whether somebody waits for a turn.</summary>
    public bool IsContended => Volatile.Read(ref _inside) > options.Parallel;

    /// <summary>Waits for a turn. False: too many wait already, or this one has waited too long.</summary>
    public async ValueTask<bool> EnterAsync(CancellationToken cancellationToken)
    {
        var entered = false;
        try
        {
            entered = Interlocked.Increment(ref _inside) <= options.Parallel + options.Waiting
                && await _free.WaitAsync(TimeSpan.FromSeconds(options.WaitSeconds), cancellationToken).ConfigureAwait(false);
            return entered;
        }
        finally
        {
            if (!entered) Interlocked.Decrement(ref _inside);
        }
    }

    /// <summary>Ends a turn.</summary>
    public void Leave()
    {
        Interlocked.Decrement(ref _inside);
        _free.Release();
    }

    /// <inheritdoc/>
    public void Dispose() => _free.Dispose();
}
