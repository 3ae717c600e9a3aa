using Microsoft.Extensions.DependencyInjection;

namespace Pipeline.Workers.Upstream;

/// <summary>Registers the follower of upstreams.</summary>
public static class UpstreamSetup
{
    /// <summary>Registers it. Needs the database, git, and the process's row.</summary>
    public static IServiceCollection AddUpstreams(this IServiceCollection services)
    {
        services.AddSingleton<SyncWriter>();
        services.AddSingleton<SyncBells>();
        services.AddSingleton<GitFollower>();
        services.AddSingleton<UpstreamFollower>();
        return services;
    }
}
