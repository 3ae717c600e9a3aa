using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Pipeline.Api;
using Pipeline.Api.Git;
using Pipeline.Api.Publishing;
using Pipeline.Contracts.Publishing;
using Pipeline.Registry.Bus;
using Pipeline.Registry.Database;
using Pipeline.Registry.Git;
using Pipeline.Registry.Identity;
using Pipeline.Registry.Options;
using Pipeline.Registry.Store;
using Pipeline.Registry.Truth;
using Pipeline.Workers;
using Pipeline.Workers.Upkeep;

namespace Pipeline.Cli.Hosting;

/// <summary>The standalone shape: every role in one process, over SQLite, a folder and an in-memory bus.</summary>
public sealed class PipelineHost : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly DataFolder _folder;

    private PipelineHost(WebApplication app, DataFolder folder, string url)
    {
        _app = app;
        _folder = folder;
        Url = url;
    }

    /// <summary>Where it serves.</summary>
    public string Url { get; }

    /// <summary>Its services, for tests.</summary>
    public IServiceProvider Services => _app.Services;

    /// <summary>Serves until the process is told to stop.</summary>
    public static async Task<int> RunAsync(HostSettings settings, CancellationToken cancellationToken = default)
    {
        var host = await StartAsync(settings, cancellationToken).ConfigureAwait(false);
        await using (host.ConfigureAwait(false))
        {
            await host._app.WaitForShutdownAsync(cancellationToken).ConfigureAwait(false);
        }

        return 0;
    }

    /// <summary>Starts and returns once it serves.</summary>
    /// <exception cref="InvalidOperationException">The configuration does not hold, or the data folder is in use.</exception>
    public static async Task<PipelineHost> StartAsync(HostSettings settings, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(settings);
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        Configure(builder, settings);
        var registry = AddOptions(builder);
        var folder = DataFolder.Take(registry.Data);
        try
        {
            AddServices(builder, folder);
            var app = builder.Build();
            await PrepareAsync(app.Services, folder, cancellationToken).ConfigureAwait(false);
            app.MapApi();
            await app.StartAsync(cancellationToken).ConfigureAwait(false);
            var url = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
            await File.WriteAllTextAsync(folder.Url, url + "\n", cancellationToken).ConfigureAwait(false);
            settings.Ready?.Invoke(url);
            return new PipelineHost(app, folder, url);
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
        await _app.StopAsync().ConfigureAwait(false);
        await _app.DisposeAsync().ConfigureAwait(false);
        _folder.Dispose();
    }

    private static void Configure(WebApplicationBuilder builder, HostSettings settings)
    {
        builder.Configuration
            .AddInMemoryCollection(Given(settings))
            .AddJsonFile(Path.Combine(Environment.CurrentDirectory, "appsettings.json"), optional: true)
            .AddEnvironmentVariables("PIPELINE__")
            .AddInMemoryCollection(settings.Overrides);
        builder.Logging.AddConfiguration(builder.Configuration.GetSection("Logging"));
        builder.Logging.AddFilter("Microsoft", LogLevel.Warning).AddFilter("MassTransit", LogLevel.Warning);
        builder.Logging.AddSimpleConsole(console =>
        {
            console.SingleLine = true;
            console.TimestampFormat = "yyyy-MM-ddTHH:mm:ss.fffZ ";
            console.UseUtcTimestamp = true;
        });
        // Standard output carries the one line `ready URL`; the log goes to standard error.
        builder.Services.Configure<Microsoft.Extensions.Logging.Console.ConsoleLoggerOptions>(console => console.LogToStandardErrorThreshold = LogLevel.Trace);
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => Listen(kestrel, settings));
    }

    private static IEnumerable<KeyValuePair<string, string?>> Given(HostSettings settings)
    {
        if (Environment.GetEnvironmentVariable("PIPELINE_DATA") is { Length: > 0 } data) yield return new("Registry:Data", data);
        if (settings.Port != 0) yield return new("Registry:PublicUrl", $"http://127.0.0.1:{settings.Port}");
    }

    private static void Listen(KestrelServerOptions kestrel, HostSettings settings)
    {
        KestrelSetup.Apply(kestrel);
        kestrel.Listen(IPAddress.Parse(settings.Listen), settings.Port, listen => listen.Protocols = HttpProtocols.Http1);
    }

    private static RegistryOptions AddOptions(WebApplicationBuilder builder)
    {
        var registry = builder.Services.AddSection<RegistryOptions>(builder.Configuration, "Registry");
        builder.Services.AddSection<PublishOptions>(builder.Configuration, "Publish");
        builder.Services.AddSection<RateLimitOptions>(builder.Configuration, "RateLimits");
        return registry;
    }

    private static void AddServices(WebApplicationBuilder builder, DataFolder folder)
    {
        var services = builder.Services;
        var workers = services.AddSection<WorkerOptions>(builder.Configuration, "Workers");
        services.AddRoutingCore();
        services.AddSingleton(TimeProvider.System);
        services.AddSingleton<IDatabase>(provider => new SqliteDatabase(folder.Database, provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton<IObjectStore>(_ => new FolderStore(folder.Objects));
        services.AddGitIndex(services.AddSection<GitIndexOptions>(builder.Configuration, "GitIndex") with { RepositoryPath = folder.GitIndex });
        services.AddSingleton<ThisProcess>();
        services.AddHostedService(provider => provider.GetRequiredService<ThisProcess>());
        services.AddApi();
        services.AddSection<GitServeOptions>(builder.Configuration, "GitServe");
        services.AddWorkers(workers);
        services.AddSingleton(new Stage("publish-decided", typeof(PublishDecided), bell => ((PublishDecided)bell).PublishId, null));
        services.AddInMemoryBus(bus =>
        {
            bus.AddConsumer<PublishDecidedConsumer>().Endpoint(endpoint => endpoint.Temporary = true);
            foreach (var worker in WorkerSetup.ServedBy(workers)) worker.Register(bus);
        });
    }

    /// <summary>Everything that must be there before the first request or bell.</summary>
    private static async Task PrepareAsync(IServiceProvider services, DataFolder folder, CancellationToken cancellationToken)
    {
        var database = services.GetRequiredService<IDatabase>();
        await Migrator.MigrateAsync(database, cancellationToken).ConfigureAwait(false);
        await database.WriteAsync(
            static sql => sql.ExecuteAsync("INSERT INTO registry (id, epoch, created_at) VALUES (1, $1, now_us()) ON CONFLICT (id) DO NOTHING", Guid.CreateVersion7().ToString()),
            cancellationToken).ConfigureAwait(false);
        await services.GetRequiredService<ThisProcess>().EnterAsync(alone: true, "all").ConfigureAwait(false);
        await WaitingRows.ForgetBellsAsync(database).ConfigureAwait(false);
        await FirstStart.EnsureAdminAsync(database, folder.Path, cancellationToken).ConfigureAwait(false);
        await services.GetRequiredService<IndexRepository>().EnsureConfigAsync(IndexConfig.Render(services.GetRequiredService<RegistryOptions>()), cancellationToken).ConfigureAwait(false);
    }
}
