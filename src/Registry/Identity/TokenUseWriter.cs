using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Pipeline.Registry.Failures;

namespace Pipeline.Registry.Identity;

/// <summary>Writes the noted uses of tokens every few seconds, and once more when the process ends.</summary>
public sealed class TokenUseWriter(TokenUse use, TimeProvider clock, ILogger<TokenUseWriter> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    /// <inheritdoc/>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken).ConfigureAwait(false);
        await FlushAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, clock);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false)) await FlushAsync(stoppingToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The process ends; what is noted is written once more when it stops.
        }
    }

    private async ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        try
        {
            await use.FlushAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (TransientException e)
        {
            logger.LogWarning(e, "when tokens were used cannot be written now; the next interval tries again");
        }
    }
}
