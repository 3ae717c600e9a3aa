using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Pipeline.Registry.Database;
using Pipeline.Registry.Options;
using Pipeline.Registry.Store;

namespace Pipeline.Cli.Hosting;

/// <summary>The configured database and object store, for a command that works on them itself while the registry is stopped.</summary>
internal sealed class StoppedRegistry : IAsyncDisposable
{
    private readonly ServiceProvider _services;

    private StoppedRegistry(ServiceProvider services, DataFolder folder, bool isAlone)
    {
        _services = services;
        Folder = folder;
        IsAlone = isAlone;
    }

    /// <summary>The data folder.</summary>
    public DataFolder Folder { get; }

    /// <summary>Whether the data folder's lock keeps every other process out. Else the database must be asked who lives.</summary>
    public bool IsAlone { get; }

    /// <summary>The database. Its statements may take as long as they like: a migration may rewrite a large table, or wait for another process's.</summary>
    public IDatabase Database => _services.GetRequiredService<IDatabase>();

    /// <summary>The object store.</summary>
    public IObjectStore Store => _services.GetRequiredService<IObjectStore>();

    /// <summary>Opens what the configuration names.</summary>
    /// <exception cref="InvalidOperationException">The configuration does not hold, or the data folder is in use.</exception>
    public static StoppedRegistry Open(Session session, IEnumerable<KeyValuePair<string, string?>> overrides)
    {
        var builder = new ConfigurationBuilder();
        PipelineHost.AddSources(builder, overrides);
        var configuration = builder.Build();
        configuration["Registry:Data"] ??= session.Data;
        var services = new ServiceCollection();
        var registry = services.AddSection<RegistryOptions>(configuration, "Registry").Check();
        var options = services.AddSection<DatabaseOptions>(configuration, "Database");
        var isAlone = options.Postgres is null;
        var folder = DataFolder.Open(registry.Data, alone: isAlone);
        try
        {
            services.AddSingleton(TimeProvider.System).AddRegistryDatabase(options with { CommandSeconds = 0 }, folder.Database);
            Engines.AddStore(services, configuration, folder);
            return new StoppedRegistry(services.BuildServiceProvider(), folder, isAlone);
        }
        catch
        {
            folder.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _services.DisposeAsync().ConfigureAwait(false);
        Folder.Dispose();
    }
}
