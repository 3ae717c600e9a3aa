using Microsoft.Extensions.DependencyInjection;
using Pipeline.Registry.Database;
using Pipeline.Registry.Git;
using Pipeline.Registry.Options;
using Pipeline.Registry.Truth;

namespace Pipeline.Workers.GitIndex;

/// <summary>Registers the git index's writer.</summary>
public static class GitIndexSetup
{
    /// <summary>Registers the writer. Needs <c>AddGitIndex</c>, the database, <see cref="ThisProcess"/> and the failure log; the consumer is the bus's to add.</summary>
    public static IServiceCollection AddGitIndexWriter(this IServiceCollection services)
    {
        services.AddSingleton<GitIndexRow>();
        services.AddSingleton(provider =>
        {
            var (database, options) = (provider.GetRequiredService<IDatabase>(), provider.GetRequiredService<GitIndexOptions>());
            var process = provider.GetRequiredService<ThisProcess>().Id;
            var lease = new Lease(database, GitIndexWriter.LeaseName, process, TimeSpan.FromSeconds(options.LeaseSeconds), provider.GetRequiredService<TimeProvider>());
            return ActivatorUtilities.CreateInstance<GitIndexWriter>(provider, lease, new RemoteIndex(database, provider.GetRequiredService<RegistryOptions>(), lease));
        });
        return services;
    }
}
