using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Pipeline.Registry.Options;

namespace Pipeline.Registry.Bus.Batches;

/// <summary>How a stage batches.</summary>
/// <param name="Most">The most keys of one batch.</param>
/// <param name="Lanes">How many batches this process may work on side by side. A further one begins only when those before it are slow.</param>
public sealed record Batching(int Most, Func<WorkerOptions, int> Lanes);

/// <summary>How long the messages of stages that work in batches last.</summary>
/// <param name="AreHeld">
/// True: until their work has ended, so that a broker gives them to another process when this one dies. False: until they are taken, as in
/// memory, where a message only says that keys wait.
/// </param>
public sealed record BatchMessages(bool AreHeld);

/// <summary>Registers a stage that works in batches.</summary>
public static class BatchSetup
{
    // A batch is made of the messages of several processes.
    private const int MostHeld = JoinedBells.MaxKeys;

    /// <summary>Adds a worker to the bus.</summary>
    /// <param name="bus">The bus.</param>
    /// <param name="queue">Its queue.</param>
    /// <param name="key">The key of a bell of one key.</param>
    /// <param name="batching">How it batches.</param>
    /// <param name="endpoint">What else is to be said of its endpoint.</param>
    public static void AddBatchConsumer<TBell, TKey, TConsumer>(
        this IBusRegistrationConfigurator bus, string queue, Func<TBell, TKey> key, Batching batching, Action<IEndpointRegistrationConfigurator>? endpoint = null)
        where TBell : class
        where TKey : notnull
        where TConsumer : class, IBatchConsumer<TKey>
    {
        bus.AddSingleton<TConsumer>();
        bus.AddSingleton(provider => new BatchInbox<TBell, TKey>(
            key, batching, provider.GetRequiredService<TConsumer>(), ActivatorUtilities.CreateInstance<BatchServices>(provider)));
        bus.AddConsumer<Batched<TBell, TKey>>().Endpoint(configure =>
        {
            configure.Name = queue;
            endpoint?.Invoke(configure);
        });
        bus.AddConfigureEndpointsCallback((provider, name, configure) =>
        {
            if (!name.StartsWith(queue, StringComparison.Ordinal)) return;
            // The bus keeps a reader for each message that may be worked on at once, and every message wakes all of them.
            configure.ConcurrentMessageLimit = provider.GetRequiredService<BatchMessages>().AreHeld ? MostHeld : 1;
        });
    }
}
