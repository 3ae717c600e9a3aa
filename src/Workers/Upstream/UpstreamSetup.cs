using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Pipeline.Registry.Options;

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
        services.AddSingleton<SparseFollower>();
        services.AddSingleton<UpstreamFollower>();
        services.AddSingleton<UpstreamWatch>();
        services.TryAddSingleton(new UpstreamOptions());
        return services;
    }
}
