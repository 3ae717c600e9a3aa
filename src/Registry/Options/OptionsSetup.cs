using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Pipeline.Registry.Options;

/// <summary>Reads the options once, at start. A key that does not exist or does not fit stops the process with its name.</summary>
public static class OptionsSetup
{
    /// <summary>Binds one section to its record and registers it.</summary>
    /// <exception cref="InvalidOperationException">A key of the section is unknown or its value is of the wrong form.</exception>
    public static T AddSection<T>(this IServiceCollection services, IConfiguration configuration, string section)
        where T : class, new()
    {
        ArgumentNullException.ThrowIfNull(configuration);
        var options = new T();
        try
        {
            options = configuration.GetSection(section).Get<T>(binder => binder.ErrorOnUnknownConfiguration = true) ?? options;
        }
        catch (InvalidOperationException e)
        {
            throw new InvalidOperationException($"the configuration section {section} cannot be read: {e.Message} {e.InnerException?.Message}".TrimEnd(), e);
        }

        if (OptionRules.Problem(section, options) is { } problem) throw new InvalidOperationException(problem);
        services.AddSingleton(options);
        return options;
    }
}
