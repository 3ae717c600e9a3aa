using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Pipeline.Api.Publishing;

/// <summary>Registers and maps publishing.</summary>
public static class PublishingSetup
{
    /// <summary>Adds what the endpoints need.</summary>
    public static IServiceCollection AddPublishing(this IServiceCollection services)
    {
        services.AddSingleton<MetadataRoom>();
        services.AddSingleton<UnfinishedUploads>();
        services.AddSingleton<StagingLevel>();
        services.AddSingleton<StoreReach>();
        services.AddSingleton<ReadOnlyGate>();
        services.AddSingleton<PublishAdmission>();
        services.AddSingleton<Intake>();
        services.AddSingleton<VerdictAnswer>();
        services.AddSingleton<PublishEndpoint>();
        services.AddSingleton<PublishStatus>();
        services.AddSingleton<VerdictWaiters>();
        services.AddHostedService(provider => provider.GetRequiredService<VerdictWaiters>());
        return services;
    }

    /// <summary>Maps the endpoints.</summary>
    public static void MapPublishing(this IEndpointRouteBuilder routes)
    {
        PublishEndpoint.Map(routes);
        PublishStatus.Map(routes);
    }
}
