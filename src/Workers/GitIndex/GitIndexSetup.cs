using Microsoft.Extensions.DependencyInjection;
using Pipeline.Registry.Database;
using Pipeline.Registry.Git;
using Pipeline.Registry.Truth;

namespace Pipeline.Workers.GitIndex;

/// <summary>Registers the git index's writer.</summary>
public static class GitIndexSetup
{
    /// <summary>Registers the writer. Needs <c>AddGitIndex</c>, the database, <see cref="ThisProcess"/> and the failure log; the consumer is the bus's to add.</summary>
    public static IServiceCollection AddGitIndexWriter(this IServiceCollection services)
    {
        services.AddSingleton(provider => ActivatorUtilities.CreateInstance<GitIndexWriter>(
            provider,
            new Lease(
                provider.GetRequiredService<IDatabase>(),
                GitIndexWriter.LeaseName,
                provider.GetRequiredService<ThisProcess>().Id,
                TimeSpan.FromSeconds(provider.GetRequiredService<GitIndexOptions>().LeaseSeconds),
                provider.GetRequiredService<TimeProvider>())));
        return services;
    }
}
