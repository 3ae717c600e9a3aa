using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Pipeline.Api;

/// <summary>Composes the HTTP surface: one line per slice.</summary>
public static class ApiSetup
{
    /// <summary>Registers what the endpoints need.</summary>
    public static IServiceCollection AddApi(this IServiceCollection services)
    {
        return services;
    }

    /// <summary>Maps every endpoint.</summary>
    public static WebApplication MapApi(this WebApplication app)
    {
        return app;
    }
}
