using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Pipeline.Api.Accounts;
using Pipeline.Api.Admin;
using Pipeline.Api.Crates;
using Pipeline.Api.Http;
using Pipeline.Api.Publishing;
using Pipeline.Registry.Identity;

namespace Pipeline.Api;

/// <summary>Composes the HTTP surface: one line per slice.</summary>
public static class ApiSetup
{
    /// <summary>Registers what the endpoints need.</summary>
    public static IServiceCollection AddApi(this IServiceCollection services)
    {
        services.AddIdentity();
        services.AddPublishing();
        return services;
    }

    /// <summary>Maps every endpoint. What comes first sees a request first.</summary>
    public static WebApplication MapApi(this WebApplication app)
    {
        app.UseMiddleware<ErrorMiddleware>();
        app.UseRouting();
        app.MapPublishing();
        app.MapSearch();
        app.MapCrate();
        app.MapVersionList();
        app.MapVersion();
        app.MapReverseDependencies();
        app.MapOwners();
        app.MapYank();
        app.MapSummary();
        app.MapMe();
        app.MapTokens();
        app.MapAdmin();
        return app;
    }
}
