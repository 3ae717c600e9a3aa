using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Pipeline.Registry.Options;
using Pipeline.Registry.Truth;

namespace Pipeline.Registry.Cdn;

/// <summary>Registers the caches to purge. Every process needs them: who renders writes the purges, the API names keys, the worker sends.</summary>
public static class CdnSetup
{
    /// <summary>Reads and checks the section <c>Cdn</c>.</summary>
    /// <exception cref="InvalidOperationException">A key is unknown, of the wrong form, or missing.</exception>
    public static IServiceCollection AddCdn(this IServiceCollection services, IConfiguration configuration)
    {
        var options = services.AddSection<CdnOptions>(configuration, "Cdn");
        return CdnRules.Check(options) is { } wrong ? throw new InvalidOperationException(wrong) : services.AddCdn();
    }

    /// <summary>Registers what reads the options, and no targets where no options were registered.</summary>
    public static IServiceCollection AddCdn(this IServiceCollection services)
    {
        services.TryAddSingleton(new CdnOptions());
        services.TryAddSingleton<Purges>();
        services.TryAddSingleton<CacheClient>();
        return services;
    }

    /// <summary>The way of a target's provider.</summary>
    public static ICachePurger Purger(this CdnTarget target)
    {
        ArgumentNullException.ThrowIfNull(target);
        return target.Kind switch
        {
            CdnKind.Fastly => new FastlyPurger(target),
            CdnKind.CloudFront => new CloudFrontPurger(target),
            _ => new PlainPurger(target),
        };
    }
}
