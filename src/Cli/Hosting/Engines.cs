using MassTransit;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Pipeline.Api.Publishing;
using Pipeline.Contracts.Publishing;
using Pipeline.Registry.Bus;
using Pipeline.Registry.Bus.Batches;
using Pipeline.Registry.Bus.RabbitMq;
using Pipeline.Registry.Database;
using Pipeline.Registry.Options;
using Pipeline.Registry.Schedules;
using Pipeline.Registry.Store;
using Pipeline.Workers;
using Pipeline.Workers.Upkeep;

namespace Pipeline.Cli.Hosting;

/// <summary>Which engine stands behind each seam: one place per engine, chosen by configuration alone (design, section 2).</summary>
internal static class Engines
{
    /// <summary>SQLite in the data folder, or PostgreSQL.</summary>
    public static DatabaseOptions AddDatabase(IServiceCollection services, IConfiguration configuration, DataFolder folder)
    {
        var options = services.AddSection<DatabaseOptions>(configuration, "Database");
        services.AddRegistryDatabase(options, folder.Database);
        return options;
    }

    /// <summary>A scheduler in memory, or one of many over PostgreSQL. It runs where the sweep does.</summary>
    public static void AddSchedules(IServiceCollection services, IConfiguration configuration, DatabaseOptions database, WorkerOptions workers)
    {
        var options = services.AddSection<ScheduleOptions>(configuration, "Schedules");
        if (workers.Serves(UpkeepSchedules.Sweep)) services.AddSchedules(options, database, UpkeepSchedules.Of(workers, options));
    }

    /// <summary>A folder, or S3.</summary>
    public static void AddStore(IServiceCollection services, IConfiguration configuration, DataFolder folder) =>
        services.AddObjectStore(configuration, () => folder.Objects);

    /// <summary>A bus in memory, or RabbitMQ, with the consumers of this role.</summary>
    public static void AddBus(IServiceCollection services, BusOptions options, WorkerOptions workers, HostRole role)
    {
        services.AddSingleton(new Stage("publish-decided", typeof(PublishDecided), bell => ((PublishDecided)bell).PublishId, null, IsBatched: true));
        if (options.RabbitMq is null)
        {
            services.AddInMemoryBus(AddConsumers);
            return;
        }

        services.AddRabbitMqBus(options, WorkerCatalogue.All.ToDictionary(worker => worker.Stage.Queue, worker => workers.PrefetchOf(worker.Stage.Queue)), AddConsumers);
        if (workers.Serves("sweep")) services.AddHostedService<UnreadableMessages>();

        void AddConsumers(IBusRegistrationConfigurator bus)
        {
            // Every API process hears of every verdict, so each has a queue of its own.
            if (role != HostRole.Worker)
            {
                bus.AddBatchConsumer<PublishDecided, string, PublishDecidedConsumer>("publish-decided", static bell => bell.PublishId, PublishDecidedConsumer.Batching, static endpoint =>
                {
                    endpoint.Temporary = true;
                    endpoint.InstanceId = $"-{Guid.NewGuid():N}";
                });
            }

            foreach (var worker in WorkerSetup.ServedBy(workers)) worker.Register(bus);
        }
    }
}
