using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Pipeline.Registry.Database;
using Quartz;

namespace Pipeline.Registry.Schedules;

/// <summary>
/// Registers the scheduler: in memory beside SQLite; over PostgreSQL one among many, of which exactly one fires each slot. When the one that
/// did dies before it has finished, another fires the slot again.
/// </summary>
public static class ScheduleSetup
{
    // Firing is sending one message, so one thread, and one connection besides those that keep the cluster together.
    private const int Threads = 1;
    private const int Connections = 4;

    /// <summary>Registers it. Needs <see cref="IDatabase"/>, the bus and a <see cref="TimeProvider"/>.</summary>
    /// <param name="services">The services.</param>
    /// <param name="options">Section <c>Schedules</c>, registered by the caller.</param>
    /// <param name="database">Section <c>Database</c>.</param>
    /// <param name="schedules">What is to happen.</param>
    public static IServiceCollection AddSchedules(this IServiceCollection services, ScheduleOptions options, DatabaseOptions database, IReadOnlyList<Schedule> schedules)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(database);
        services.AddSingleton(new ScheduleList(schedules));
        services.AddQuartz(quartz =>
        {
            quartz.ConfigureScheduler(scheduler =>
            {
                scheduler.InstanceName = "pipeline";
                scheduler.GenerateInstanceId = true;
            });
            quartz.UseDefaultThreadPool(Threads);
            if (database.Postgres is null) quartz.UseInMemoryStore();
            else quartz.UsePersistentStore(store => Share(store, database, options));
        });
        services.AddQuartzHostedService(hosted => hosted.WaitForJobsToComplete = true);
        services.AddHostedService<ScheduleStart>();
        return services;
    }

    private static void Share(IPersistentStoreBuilder store, DatabaseOptions database, ScheduleOptions options)
    {
        var connection = database.ReadPostgres();
        connection.MaxPoolSize = Connections;
        connection.ApplicationName = "pipeline schedules";
        store.UsePostgres(NpgsqlFactory.Instance, connection.ConnectionString);
        // Or a process would live on after its end until the next look at the cluster.
        store.ConfigureStore(tables => tables.UseBackgroundThreads = true);
        store.UseClustering(cluster =>
        {
            cluster.CheckinInterval = TimeSpan.FromSeconds(options.CheckinSeconds);
            cluster.CheckinMisfireThreshold = TimeSpan.FromSeconds(options.CheckinSeconds);
        });
    }
}
