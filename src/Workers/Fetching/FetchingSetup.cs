using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Pipeline.Registry.Options;

namespace Pipeline.Workers.Fetching;

/// <summary>Registers the fetcher of mirrored files.</summary>
public static class FetchingSetup
{
    /// <summary>Registers it. Needs the database, the object store, and the process's row.</summary>
    public static IServiceCollection AddFetching(this IServiceCollection services)
    {
        services.TryAddSingleton(new MirrorOptions());
        services.AddSingleton<FileRows>();
        services.AddSingleton<FileClient>();
        services.AddSingleton<KeptFiles>();
        services.AddSingleton<FileEviction>();
        services.AddSingleton<FileFetches>();
        return services;
    }
}
