using Microsoft.Extensions.DependencyInjection;

namespace Pipeline.Registry.Git;

/// <summary>Registers the git index's repository.</summary>
public static class GitSetup
{
    /// <summary>Registers git and the repository, for the writer and for serving. Needs a <see cref="TimeProvider"/>.</summary>
    /// <exception cref="InvalidOperationException">The remote cannot be one, or lacks what it needs; the message names the key.</exception>
    public static IServiceCollection AddGitIndex(this IServiceCollection services, GitIndexOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        services.AddSingleton(options);
        var home = Path.GetFullPath(options.RepositoryPath) + ".home";
        services.AddSingleton(_ =>
        {
            Directory.CreateDirectory(home);
            return new GitProgram(options.Program, home);
        });
        if (GitRemoteAddress.Of(options) is { } address) services.AddSingleton(provider => new GitRemote(provider.GetRequiredService<GitProgram>(), address, options, home));
        services.AddSingleton<IndexRepository>();
        return services;
    }
}
