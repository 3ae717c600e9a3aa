using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Pipeline.Contracts.Cdn;
using Pipeline.Contracts.Index;
using Pipeline.Registry.Bus;
using Pipeline.Registry.Database;
using Pipeline.Registry.Failures;
using Pipeline.Registry.Git;
using Pipeline.Registry.Options;
using Pipeline.Registry.Store;
using Pipeline.Registry.Truth;

namespace Pipeline.Workers.GitIndex;

/// <summary>
/// Writes <c>config.json</c> into both indexes of the distributed shape, once the registry's URL is known: from the configuration, or from
/// the first API process that was started. Standalone, the start does so itself. Where the git index has a remote, its writer adds the file when
/// the remote has none; it is only rung.
/// </summary>
public sealed class IndexConfigSchedule(
    IDatabase database, IObjectStore store, IndexRepository repository, RegistryOptions options, Purges purges, IDoorbell doorbell, ILogger<IndexConfigSchedule> logger) : BackgroundService
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(2);

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Every);
        string? written = null;
        do
        {
            try
            {
                var url = await database.ReadAsync(RegistryAddress.ReadAsync, stoppingToken).ConfigureAwait(false);
                if (url is null || url == written) continue;
                var config = IndexConfig.Render(options with { PublicUrl = url });
                await store.PutAsync(StoreKeys.SparseFile(IndexRepository.ConfigPath), config, stoppingToken).ConfigureAwait(false);
                if (repository.HasRemote) await doorbell.RingAsync(new CommitIndex()).ConfigureAwait(false);
                else await repository.EnsureConfigAsync(config, stoppingToken).ConfigureAwait(false);
                if (await database.WriteAsync(sql => purges.OfPlainFileAsync(sql, IndexRepository.ConfigPath, config), stoppingToken).ConfigureAwait(false))
                    await doorbell.RingAsync(new PurgeCdn()).ConfigureAwait(false);
                written = url;
            }
            catch (TransientException e)
            {
                logger.LogWarning("config.json cannot be written now: {Reason}", e.Message);
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false));
    }
}
