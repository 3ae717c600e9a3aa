using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Pipeline.Registry.Identity;

/// <summary>Registers accounts, tokens and rate limits. The host registers the database and the options.</summary>
public static class IdentitySetup
{
    /// <summary>Adds the services; adding them twice is fine.</summary>
    public static IServiceCollection AddIdentity(this IServiceCollection services)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<CallerCache>();
        services.TryAddSingleton<TokenUse>();
        services.TryAddSingleton<Authenticator>();
        services.TryAddSingleton<TokenStore>();
        services.TryAddSingleton<UserStore>();
        services.TryAddSingleton<RateLimiter>();
        return services.AddHostedService<TokenUseWriter>();
    }
}
