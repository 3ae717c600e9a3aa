using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Pipeline.Registry.Options;

namespace Pipeline.Registry.Store;

/// <summary>Registers the object store that the configuration names.</summary>
public static class StoreSetup
{
    /// <summary>Adds <see cref="IObjectStore"/>: S3 where <c>Store:S3</c> is set, else a folder.</summary>
    /// <param name="services">The services.</param>
    /// <param name="configuration">Its section <c>Store</c>.</param>
    /// <param name="folder">The folder of the objects; asked for when there is no S3 server.</param>
    /// <exception cref="InvalidOperationException">A key does not hold.</exception>
    public static StoreOptions AddObjectStore(this IServiceCollection services, IConfiguration configuration, Func<string> folder)
    {
        ArgumentNullException.ThrowIfNull(folder);
        var options = services.AddSection<StoreOptions>(configuration, "Store");
        if (options.S3 is { } s3)
        {
            s3.Check();
            services.AddSingleton<IObjectStore>(_ => new S3Store(s3));
        }
        else
        {
            services.AddSingleton<IObjectStore>(_ => new FolderStore(folder()));
        }

        return options;
    }
}
