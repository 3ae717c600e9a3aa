using Microsoft.Extensions.Hosting;
using Pipeline.Contracts.Upkeep;
using Pipeline.Registry.Bus;
using Pipeline.Registry.Options;

namespace Pipeline.Workers.Upkeep;

/// <summary>Rings the sweep at once and then every few seconds.</summary>
public sealed class SweepSchedule(IDoorbell doorbell, WorkerOptions options) : BackgroundService
{
    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(options.SweepSeconds));
        do
        {
            await doorbell.RingAsync(new Sweep()).ConfigureAwait(false);
        }
        while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false));
    }
}
