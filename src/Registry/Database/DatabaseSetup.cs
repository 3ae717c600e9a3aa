using Microsoft.Extensions.DependencyInjection;

namespace Pipeline.Registry.Database;

/// <summary>Chooses the engine behind <see cref="IDatabase"/>.</summary>
public static class DatabaseSetup
{
    /// <summary>Registers PostgreSQL where it is configured, else SQLite.</summary>
    /// <param name="services">The services; a <see cref="TimeProvider"/> must be among them.</param>
    /// <param name="options">Section <c>Database</c>.</param>
    /// <param name="sqliteFile">The file of SQLite.</param>
    public static IServiceCollection AddRegistryDatabase(this IServiceCollection services, DatabaseOptions options, string sqliteFile)
    {
        ArgumentNullException.ThrowIfNull(options);
        return services.AddSingleton<IDatabase>(provider => options.Postgres is null
            ? new SqliteDatabase(sqliteFile, provider.GetRequiredService<TimeProvider>())
            : new PostgresDatabase(options));
    }
}
