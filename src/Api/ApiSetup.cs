using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.OpenApi;
using Pipeline.Api.Access;
using Pipeline.Api.Accounts;
using Pipeline.Api.Admin;
using Pipeline.Api.Changes;
using Pipeline.Api.Crates;
using Pipeline.Api.Downloads;
using Pipeline.Api.Git;
using Pipeline.Api.Http;
using Pipeline.Api.Index;
using Pipeline.Api.Publishing;
using Pipeline.Api.Search;
using Pipeline.Registry.Cdn;
using Pipeline.Registry.Failures;
using Pipeline.Registry.Identity;
using Pipeline.Registry.Options;
using Pipeline.Registry.Store;
using Pipeline.Registry.Telemetry;
using Pipeline.Registry.Truth;

namespace Pipeline.Api;

/// <summary>Composes the HTTP surface: one line per slice.</summary>
public static class ApiSetup
{
    /// <summary>Registers what the endpoints need.</summary>
    public static IServiceCollection AddApi(this IServiceCollection services)
    {
        services.AddCdn();
        services.AddIdentity();
        services.TryAddSingleton(new StoreOptions());
        services.AddSingleton<IndexFileCache>();
        services.AddSingleton<MirroredDownloads>();
        services.AddSingleton<DownloadEndpoint>();
        services.AddSingleton<HealthEndpoints>();
        services.AddSingleton<ChangeWatch>();
        services.AddSingleton<SearchCache>();
        services.AddSingleton<RareCounts>();
        services.AddSingleton<CrateChanges>();
        services.AddSingleton<ShownCrates>();
        services.AddSingleton<KnownDownloads>();
        services.AddGitServing(new GitServeOptions());
        services.AddPublishing();
        services.AddSingleton<Replay>();
        services.TryAddSingleton<StageActivity>();
        // The server it names is the registry's own address, not the Host that the request claims.
        services.AddOpenApi(static openApi => openApi.AddDocumentTransformer(static (document, context, _) =>
        {
            document.Servers = [new OpenApiServer { Url = context.ApplicationServices.GetRequiredService<RegistryOptions>().PublicUrl }];
            return Task.CompletedTask;
        }));
        return services;
    }

    /// <summary>Maps every endpoint. What comes first sees a request first.</summary>
    public static WebApplication MapApi(this WebApplication app)
    {
        app.UseMiddleware<ErrorMiddleware>();
        app.UseMiddleware<BodyPaceMiddleware>();
        if (app.Services.GetRequiredService<RegistryOptions>().AuthRequired) app.UseMiddleware<ReadPolicyMiddleware>();
        app.UseMiddleware<SparseIndexMiddleware>();
        app.UseMiddleware<KnownDownloadMiddleware>();
        app.UseRouting();
        HealthEndpoints.Map(app);
        MetricsAnswer.Map(app);
        DownloadEndpoint.Map(app);
        app.MapPublishing();
        app.MapSearch();
        app.MapCrate();
        app.MapVersionList();
        app.MapVersion();
        app.MapReverseDependencies();
        app.MapOwners();
        app.MapYank();
        app.MapSummary();
        app.MapChanges();
        app.MapMe();
        app.MapTokens();
        app.MapAdmin();
        app.MapOpenApi("/openapi/{documentName}.json");
        app.MapGitIndex();
        return app;
    }
}
