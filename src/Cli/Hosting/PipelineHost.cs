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
using Pipeline.Registry.Bus;
using Pipeline.Registry.Bus.RabbitMq;
using Pipeline.Registry.Cdn;
using Pipeline.Registry.Git;
using Pipeline.Registry.Options;
using Pipeline.Registry.Outbound;
using Pipeline.Registry.Store;
using Pipeline.Registry.Telemetry;
using Pipeline.Registry.Truth;
using Pipeline.Workers;
using Pipeline.Workers.GitIndex;

namespace Pipeline.Cli.Hosting;

/// <summary>
/// One process of the registry: everything (standalone, unless configured otherwise), the HTTP surface, or workers. What it works with is
/// chosen by configuration (<see cref="Engines"/>).
/// </summary>
public sealed class PipelineHost : IAsyncDisposable
{
    private readonly IHost _host;
    private readonly DataFolder _folder;
    private readonly StuckBus? _stuckBus;

    private PipelineHost(IHost host, DataFolder folder, string url)
    {
        _host = host;
        _folder = folder;
        _stuckBus = host.Services.GetService<StuckBus>();
        Url = url;
    }

    /// <summary>Where it serves; for a worker the queues it serves.</summary>
    public string Url { get; }

    /// <summary>Its services, for tests.</summary>
    public IServiceProvider Services => _host.Services;

    /// <summary>Serves until the process is told to stop. A host whose bus is stuck is followed by another.</summary>
    public static async Task<int> RunAsync(HostSettings settings, CancellationToken cancellationToken = default)
    {
        while (true)
        {
            var host = await StartAsync(settings, cancellationToken).ConfigureAwait(false);
            await using (host.ConfigureAwait(false))
            {
                await host._host.WaitForShutdownAsync(cancellationToken).ConfigureAwait(false);
            }

            if (host._stuckBus is not { IsFound: true }) return 0;
        }
    }

    /// <summary>Starts and returns once it serves.</summary>
    /// <exception cref="InvalidOperationException">The configuration does not hold, the data folder is in use, or the database lacks migrations.</exception>
    public static async Task<PipelineHost> StartAsync(HostSettings settings, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(settings);
        IHostApplicationBuilder builder = settings.Role == HostRole.Worker
            ? Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { ContentRootPath = AppContext.BaseDirectory })
            : WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        var urlIsConfigured = Configure(builder, settings);
        var shape = Shape.Of(builder.Configuration, settings.Role);
        var registry = builder.Services.AddSection<RegistryOptions>(builder.Configuration, "Registry").Check();
        var folder = DataFolder.Open(registry.Data, alone: shape.OwnsData);
        try
        {
            var workers = AddServices(builder, folder, settings.Role, shape);
            var host = Build(builder, settings);
            await Preparation.RunAsync(host.Services, folder, shape, cancellationToken).ConfigureAwait(false);
            await host.StartAsync(cancellationToken).ConfigureAwait(false);
            var url = settings.Role == HostRole.Worker
                ? string.Join(' ', WorkerSetup.ServedBy(workers).Select(worker => worker.Stage.Queue))
                : await AnnounceAsync(host, folder, registry, urlIsConfigured, cancellationToken).ConfigureAwait(false);
            settings.Ready?.Invoke(url);
            return new PipelineHost(host, folder, url);
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
        await _host.StopAsync().ConfigureAwait(false);
        if (_host is IAsyncDisposable disposable) await disposable.DisposeAsync().ConfigureAwait(false);
        else _host.Dispose();
        _folder.Dispose();
    }

    /// <summary>Where the configuration comes from, the later before the earlier: a file, the environment, the command line.</summary>
    /// <exception cref="InvalidOperationException">A key does not exist; the text names it.</exception>
    internal static void AddSources(IConfigurationBuilder configuration, IEnumerable<KeyValuePair<string, string?>> overrides)
    {
        var sources = new ConfigurationBuilder()
            .AddJsonFile(Path.Combine(Environment.CurrentDirectory, "appsettings.json"), optional: true)
            .AddEnvironmentVariables("PIPELINE__")
            .AddInMemoryCollection(overrides)
            .Build();
        if (ConfigurationKeys.Problem(sources) is { } problem) throw new InvalidOperationException(problem);
        configuration.AddConfiguration(sources);
    }

    /// <summary>Reads the configuration and sets up the log. Returns whether the public URL is configured, and not made up from the port.</summary>
    private static bool Configure(IHostApplicationBuilder builder, HostSettings settings)
    {
        AddSources(builder.Configuration, settings.Overrides);
        var urlIsConfigured = builder.Configuration["Registry:PublicUrl"] is not null;
        foreach (var (key, value) in Implied(settings)) builder.Configuration[key] ??= value;
        builder.Logging.AddConfiguration(builder.Configuration.GetSection("Logging"));
        builder.Logging.AddFilter("Microsoft", LogLevel.Warning).AddFilter("MassTransit", LogLevel.Warning).AddFilter("Quartz", LogLevel.Warning);
        builder.AddTelemetry(Shape.NameOf(settings.Role));
        return urlIsConfigured;
    }

    /// <summary>What the command line and the place it is called from say where the configuration is silent.</summary>
    private static IEnumerable<(string Key, string Value)> Implied(HostSettings settings)
    {
        if (Environment.GetEnvironmentVariable("PIPELINE_DATA") is { Length: > 0 } data) yield return ("Registry:Data", data);
        if (settings.Role != HostRole.Worker && settings.Port != 0) yield return ("Registry:PublicUrl", $"http://127.0.0.1:{settings.Port}");
        if (settings.Role == HostRole.Api) yield return ("Workers:Enabled", bool.FalseString);
    }

    private static WorkerOptions AddServices(IHostApplicationBuilder builder, DataFolder folder, HostRole role, Shape shape)
    {
        var (services, configuration) = (builder.Services, builder.Configuration);
        var workers = services.AddSection<WorkerOptions>(configuration, "Workers");
        services.AddSection<PublishOptions>(configuration, "Publish");
        services.AddSection<RateLimitOptions>(configuration, "RateLimits");
        if (workers.Only.FirstOrDefault(static name => WorkerCatalogue.All.All(worker => worker.Stage.Queue != name)) is { } unknown)
            throw new InvalidOperationException($"Workers:Only names no queue: {unknown}");
        _ = new AddressRules(services.AddSection<NoticeOptions>(configuration, "Notices").AllowedNetworks, "Notices:AllowedNetworks");
        services.AddSection<UpstreamOptions>(configuration, "Upstreams");
        services.AddSection<MailOptions>(configuration, "Mail").Check();
        services.AddCdn(configuration);
        services.AddSingleton(TimeProvider.System);
        var database = Engines.AddDatabase(services, configuration, folder);
        Engines.AddStore(services, configuration, folder);
        var git = configuration.GetSection("GitIndex")["RepositoryPath"] is null ? folder.GitIndex : null;
        var gitOptions = services.AddSection<GitIndexOptions>(configuration, "GitIndex");
        services.AddGitIndex(git is null ? gitOptions : gitOptions with { RepositoryPath = git });
        services.AddSingleton<ThisProcess>();
        services.AddHostedService(provider => provider.GetRequiredService<ThisProcess>());
        services.AddSection<UpkeepOptions>(configuration, "Upkeep");
        var mirror = services.AddSection<MirrorOptions>(configuration, "Mirror");
        mirror.Check();
        _ = new AddressRules(mirror.AllowedNetworks, "Mirror:AllowedNetworks");
        services.AddHostedService<MemoryReturn>();
        services.AddWorkers(workers);
        if ((!shape.OwnsData || gitOptions.Remote is not null) && workers.Serves("commit-index")) services.AddHostedService<IndexConfigSchedule>();
        Engines.AddBus(services, services.AddSection<BusOptions>(configuration, "Bus"), workers, role);
        Engines.AddSchedules(services, configuration, database, workers);
        if (role == HostRole.Worker) return workers;

        services.AddRoutingCore();
        services.AddApi();
        services.AddSection<GitServeOptions>(configuration, "GitServe");
        return workers;
    }

    private static IHost Build(IHostApplicationBuilder builder, HostSettings settings)
    {
        if (builder is not WebApplicationBuilder web) return ((HostApplicationBuilder)builder).Build();
        web.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => Listen(kestrel, settings));
        var app = web.Build();
        app.MapApi();
        return app;
    }

    private static void Listen(KestrelServerOptions kestrel, HostSettings settings)
    {
        KestrelSetup.Apply(kestrel);
        kestrel.Listen(IPAddress.Parse(settings.Listen), settings.Port, listen => listen.Protocols = HttpProtocols.Http1);
    }

    /// <summary>Says where it serves: to the command line through the data folder, to the workers through the database.</summary>
    private static async Task<string> AnnounceAsync(IHost host, DataFolder folder, RegistryOptions registry, bool urlIsConfigured, CancellationToken cancellationToken)
    {
        var url = host.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        await File.WriteAllTextAsync(folder.Url, url + "\n", cancellationToken).ConfigureAwait(false);
        var database = host.Services.GetRequiredService<Pipeline.Registry.Database.IDatabase>();
        // A file is one process's alone: that one has no other address than its own.
        var isKnown = urlIsConfigured || database.Dialect == Pipeline.Registry.Database.Dialect.Sqlite;
        await database.WriteAsync(sql => RegistryAddress.NoteAsync(sql, registry.PublicUrl, isKnown), cancellationToken).ConfigureAwait(false);
        return url;
    }
}
