using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Pipeline.Registry.Bus.Batches;
using Pipeline.Registry.Failures;
using Pipeline.Registry.Telemetry;

namespace Pipeline.Registry.Bus;

/// <summary>The bus of the standalone shape: MassTransit in memory, bounded by the doorbell (<see cref="StageGauge"/>).</summary>
public static class InMemoryBus
{
    /// <summary>Registers the bus with the consumers of this process.</summary>
    public static IServiceCollection AddInMemoryBus(this IServiceCollection services, Action<IBusRegistrationConfigurator> addConsumers)
    {
        services.AddSingleton(new BatchMessages(AreHeld: false));
        services.AddSingleton<StageGauges>();
        services.AddSingleton<Stages>();
        services.AddSingleton<FailureLog>();
        services.AddSingleton<StageFailures>();
        services.AddSingleton<StageActivity>();
        services.AddSingleton<IDoorbell, InMemoryDoorbell>();
        services.AddMassTransit(bus =>
        {
            bus.DisableUsageTelemetry();
            addConsumers(bus);
            bus.UsingInMemory((context, memory) =>
            {
                memory.UseConsumeFilter(typeof(FailureFilter<>), context);
                memory.ConfigureEndpoints(context, new KebabCaseEndpointNameFormatter(false));
            });
        });
        // Bells rung before the queues are bound would be lost for a whole sweep.
        services.AddOptions<MassTransitHostOptions>().Configure(options => options.WaitUntilStarted = true);
        return services;
    }
}
