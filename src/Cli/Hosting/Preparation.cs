using Microsoft.Extensions.DependencyInjection;
using Pipeline.Registry.Database;
using Pipeline.Registry.Git;
using Pipeline.Registry.Identity;
using Pipeline.Registry.Options;
using Pipeline.Registry.Schedules;
using Pipeline.Registry.Store;
using Pipeline.Registry.Truth;
using Pipeline.Workers.Manifests;
using Pipeline.Workers.Upkeep;

namespace Pipeline.Cli.Hosting;

/// <summary>Everything that must be there before the first request or bell.</summary>
internal static class Preparation
{
    /// <summary>Prepares a process to serve.</summary>
    /// <exception cref="InvalidOperationException">A shared database lacks migrations, which <c>pipeline migrate</c> applies once for all processes, or is too new.</exception>
    public static async Task RunAsync(IServiceProvider services, DataFolder folder, Shape shape, CancellationToken cancellationToken)
    {
        var database = services.GetRequiredService<IDatabase>();
        if (shape.OwnsData) await MigrateAsync(database, folder, AdminToken.WhenMissing, cancellationToken).ConfigureAwait(false);
        else await RequireSchemaAsync(database, cancellationToken).ConfigureAwait(false);

        var workers = services.GetRequiredService<WorkerOptions>();
        await services.GetRequiredService<ThisProcess>().EnterAsync(alone: shape.OwnsData, workers.Enabled ? string.Join(' ', workers.Only) : "api").ConfigureAwait(false);
        // Before anything is served: nobody knows what a power cut has left of files that were not synced.
        if (workers.Enabled) await services.GetRequiredService<ParkedCopies>().WriteAgainAsync(long.MaxValue, cancellationToken).ConfigureAwait(false);
        if (!shape.OwnsData) return;

        if (shape.OwnsBus) await WaitingRows.ForgetBellsAsync(database).ConfigureAwait(false);
        var config = IndexConfig.Render(services.GetRequiredService<RegistryOptions>());
        await services.GetRequiredService<IndexRepository>().EnsureConfigAsync(config, cancellationToken).ConfigureAwait(false);
        var purges = services.GetRequiredService<Purges>();
        await database.WriteAsync(sql => purges.OfPlainFileAsync(sql, IndexRepository.ConfigPath, config), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Applies the migrations and makes the registry usable: its epoch, and an administrator whose token lies in the data folder.</summary>
    /// <param name="database">The database.</param>
    /// <param name="folder">The data folder.</param>
    /// <param name="token">When the token is written: see <see cref="FirstStart.EnsureAdminAsync"/>.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The migrations that were applied, and whether a token was written.</returns>
    public static async Task<(IReadOnlyList<string> Applied, bool HasNewToken)> MigrateAsync(
        IDatabase database, DataFolder folder, AdminToken token, CancellationToken cancellationToken)
    {
        var applied = await Migrator.MigrateAsync(database, cancellationToken).ConfigureAwait(false);
        await ScheduleTables.EnsureAsync(database, cancellationToken).ConfigureAwait(false);
        await database.WriteAsync(
            static sql => sql.ExecuteAsync("INSERT INTO registry (id, epoch, created_at) VALUES (1, $1, now_us()) ON CONFLICT (id) DO NOTHING", Guid.CreateVersion7().ToString()),
            cancellationToken).ConfigureAwait(false);
        return (applied, await FirstStart.EnsureAdminAsync(database, folder.Path, token, cancellationToken).ConfigureAwait(false));
    }

    private static async Task RequireSchemaAsync(IDatabase database, CancellationToken cancellationToken)
    {
        if (await Migrator.RefusalAsync(database, cancellationToken).ConfigureAwait(false) is { } refusal) throw new InvalidOperationException(refusal);
    }
}
