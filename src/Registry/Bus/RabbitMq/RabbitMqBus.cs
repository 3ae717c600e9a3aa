using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Pipeline.Registry.Bus.Batches;
using Pipeline.Registry.Failures;
using Pipeline.Registry.Telemetry;

namespace Pipeline.Registry.Bus.RabbitMq;

/// <summary>The bus of the distributed shape: MassTransit over RabbitMQ, one quorum queue a stage, publisher confirms.</summary>
public static class RabbitMqBus
{
    // A message that ends the process that works on it comes back at most so often; its row is rung again by the sweep anyway.
    private const int MostDeliveries = 20;
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(10);

    /// <summary>Registers the bus with the consumers of this process.</summary>
    /// <param name="services">Where to.</param>
    /// <param name="options">The broker and its bounds.</param>
    /// <param name="queues">The queues of the stages, with how many messages this process takes at a time; a queue that is not listed is of this process alone.</param>
    /// <param name="addConsumers">Adds the consumers.</param>
    public static IServiceCollection AddRabbitMqBus(
        this IServiceCollection services, BusOptions options, IReadOnlyDictionary<string, int> queues, Action<IBusRegistrationConfigurator> addConsumers)
    {
        ArgumentNullException.ThrowIfNull(options);
        var address = RabbitMqAddress.Parse(options.RabbitMq ?? throw new ArgumentException("no broker is named", nameof(options)));
        services.AddSingleton(options);
        services.AddSingleton(address);
        services.AddSingleton<Stages>();
        services.AddSingleton<FailureLog>();
        services.AddSingleton<StageFailures>();
        services.AddSingleton(new BatchMessages(AreHeld: true));
        services.AddSingleton<StageActivity>();
        services.AddSingleton<BrokerQueues>();
        services.AddSingleton<RabbitMqDoorbell>();
        services.AddSingleton<IDoorbell>(static provider => provider.GetRequiredService<RabbitMqDoorbell>());
        services.AddMassTransit(bus =>
        {
            bus.DisableUsageTelemetry();
            addConsumers(bus);
            bus.AddConfigureEndpointsCallback((_, queue, endpoint) => Configure(endpoint, queue, options, queues));
            bus.UsingRabbitMq((context, rabbit) =>
            {
                rabbit.Host(address.Endpoint, host =>
                {
                    host.Username(address.User);
                    host.Password(address.Password.Reveal());
                    host.PublisherConfirmation = true;
                    if (address.UseTls) host.UseSsl(static _ => { });
                });
                rabbit.UseConsumeFilter(typeof(FailureFilter<>), context);
                rabbit.ConfigureEndpoints(context, new KebabCaseEndpointNameFormatter(false));
            });
        });
        services.AddSingleton<StuckBus>();
        services.AddHostedService(static provider => provider.GetRequiredService<StuckBus>());
        // A broker that is away at the start must not keep the process from serving what needs none.
        services.AddOptions<MassTransitHostOptions>().Configure(static host =>
        {
            host.WaitUntilStarted = false;
            // A bus that is stuck does not stop at all.
            host.StopTimeout = StopTimeout;
        });
        return services;
    }

    private static void Configure(IReceiveEndpointConfigurator endpoint, string queue, BusOptions options, IReadOnlyDictionary<string, int> queues)
    {
        if (endpoint is not IRabbitMqReceiveEndpointConfigurator rabbit || !queues.TryGetValue(queue, out var prefetch)) return;
        rabbit.SetQuorumQueue(options.QuorumSize);
        rabbit.SetQueueArgument("x-delivery-limit", MostDeliveries);
        rabbit.SetQueueArgument("x-max-length", options.BrokerCapacity);
        rabbit.SetQueueArgument("x-overflow", "reject-publish");
        rabbit.PrefetchCount = prefetch;
        // One writer of the git index: its bells go to one process, which holds the writer's lease, until that process is gone.
        if (queue == "commit-index") rabbit.SingleActiveConsumer = true;
    }
}
