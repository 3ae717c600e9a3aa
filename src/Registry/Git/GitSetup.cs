using Microsoft.Extensions.DependencyInjection;

namespace Pipeline.Registry.Git;

/// <summary>Registers the git index's repository.</summary>
public static class GitSetup
{
    /// <summary>Registers git and the repository, for the writer and for serving. Needs a <see cref="TimeProvider"/>.</summary>
    public static IServiceCollection AddGitIndex(this IServiceCollection services, GitIndexOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        services.AddSingleton(options);
        services.AddSingleton(_ =>
        {
            var home = Path.GetFullPath(options.RepositoryPath) + ".home";
            Directory.CreateDirectory(home);
            return new GitProgram(options.Program, home);
        });
        services.AddSingleton<IndexRepository>();
        return services;
    }
}
