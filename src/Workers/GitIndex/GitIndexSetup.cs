using Microsoft.Extensions.DependencyInjection;

namespace Pipeline.Workers.GitIndex;

/// <summary>Registers the git index's writer.</summary>
public static class GitIndexSetup
{
    /// <summary>Registers the writer. Needs <c>AddGitIndex</c>, the database and the failure log; the consumer is the bus's to add.</summary>
    public static IServiceCollection AddGitIndexWriter(this IServiceCollection services)
    {
        services.AddSingleton<GitIndexWriter>();
        return services;
    }
}
