using Pipeline.Registry.Failures;

namespace Pipeline.Registry.Truth;

/// <summary>Renews a held lease while long work goes on, and says when it is lost. Work shorter than a third of the lease costs no write.</summary>
public sealed class LeaseKeeper : IAsyncDisposable
{
    private readonly Lease _lease;
    private readonly TimeProvider _clock;
    private readonly CancellationTokenSource _ended = new();
    private readonly CancellationTokenSource _stop;
    private readonly Task _renewing;

    /// <summary>Begins.</summary>
    /// <param name="lease">A lease that this process holds.</param>
    /// <param name="clock">Says when to renew.</param>
    /// <param name="cancellationToken">Ends the work for another reason.</param>
    public LeaseKeeper(Lease lease, TimeProvider clock, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(lease);
        _lease = lease;
        _clock = clock;
        _stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        _renewing = RenewAsync();
    }

    /// <summary>Cancelled when the lease is lost, or for the caller's own reason.</summary>
    public CancellationToken Stop => _stop.Token;

    /// <summary>Whether the lease was lost.</summary>
    public bool IsLost { get; private set; }

    /// <summary>Ends the work: somebody found that the lease is lost.</summary>
    public async Task LoseAsync()
    {
        IsLost = true;
        await _stop.CancelAsync().ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _ended.CancelAsync().ConfigureAwait(false);
        try
        {
            await _renewing.ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // As just asked for.
        }
        finally
        {
            _ended.Dispose();
            _stop.Dispose();
        }
    }

    private async Task RenewAsync()
    {
        while (true)
        {
            await Task.Delay(_lease.Duration / 3, _clock, _ended.Token).ConfigureAwait(false);
            if (await IsKeptAsync().ConfigureAwait(false)) continue;
            await LoseAsync().ConfigureAwait(false);
            return;
        }
    }

    private async Task<bool> IsKeptAsync()
    {
        try
        {
            return await _lease.RenewAsync(_ended.Token).ConfigureAwait(false);
        }
        catch (TransientException)
        {
            // The database may come back before the lease has run out; when it has, the work must end, for another may have begun.
            return _lease.Left > TimeSpan.Zero;
        }
    }
}
