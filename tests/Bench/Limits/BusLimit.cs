using System.Collections.Concurrent;
using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Pipeline.Bench.Measuring;
using Pipeline.Contracts.Index;
using Pipeline.Contracts.Publishing;

namespace Pipeline.Bench.Limits;

/// <summary>Limit: the messages that a publish sends, through the same bus, to consumers that do nothing but send the next one.</summary>
internal static class BusLimit
{
    // Enough for the compiler's second tier, whatever is measured then.
    private const int WarmUp = 10_000;

    /// <summary>The CPU per publish, in milliseconds.</summary>
    /// <param name="publishes">How many.</param>
    /// <param name="clients">How many at once.</param>
    /// <param name="perCommitBell">How many publishes share a bell of the git writer.</param>
    public static async Task<double> MeasureAsync(int publishes, int clients, int perCommitBell)
    {
        var ends = new Ends();
        var services = new ServiceCollection();
        services.AddLogging().AddSingleton(ends).AddSingleton(new CommitBell(perCommitBell));
        services.AddMassTransit(bus =>
        {
            bus.DisableUsageTelemetry();
            bus.AddConsumer<Tarball>();
            bus.AddConsumer<Manifest>();
            bus.AddConsumer<Sparse>();
            bus.AddConsumer<Git>();
            bus.AddConsumer<Decided>().Endpoint(endpoint => endpoint.Temporary = true);
            bus.UsingInMemory((context, memory) => memory.ConfigureEndpoints(context));
        });
        await using var provider = services.BuildServiceProvider();
        var control = provider.GetRequiredService<IBusControl>();
        await control.StartAsync();
        await RunAsync(control, ends, WarmUp, 8);
        var before = ProcessCpu.Own.Seconds();
        await RunAsync(control, ends, publishes, clients);
        var cpu = (ProcessCpu.Own.Seconds() - before) * 1000 / publishes;
        await control.StopAsync();
        return cpu;
    }

    private static Task RunAsync(IBus bus, Ends ends, int publishes, int clients)
    {
        var left = publishes;
        return Task.WhenAll(Enumerable.Range(0, clients).Select(async _ =>
        {
            while (Interlocked.Decrement(ref left) >= 0)
            {
                var id = Guid.CreateVersion7().ToString();
                var end = new Waiter();
                ends[id] = end;
                await bus.Publish(new ValidateTarball(id));
                await end.Both.Task;
            }
        }));
    }

    /// <summary>Who waits for which publish.</summary>
    private sealed class Ends : ConcurrentDictionary<string, Waiter>;

    /// <summary>Waits for the verdict; the index bell has no key of a publish, so it is not waited for.</summary>
    private sealed class Waiter
    {
        public TaskCompletionSource Both { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    private sealed class CommitBell(int every)
    {
        private int _count;

        public bool IsDue() => Interlocked.Increment(ref _count) % every == 0;
    }

    private sealed class Tarball : IConsumer<ValidateTarball>
    {
        public Task Consume(ConsumeContext<ValidateTarball> context) => context.Publish(new ReadManifest(context.Message.PublishId));
    }

    private sealed class Manifest(CommitBell git) : IConsumer<ReadManifest>
    {
        public async Task Consume(ConsumeContext<ReadManifest> context)
        {
            await context.Publish(new RenderSparse(1));
            if (git.IsDue()) await context.Publish(new CommitIndex());
            await context.Publish(new PublishDecided(context.Message.PublishId));
        }
    }

    private sealed class Sparse : IConsumer<RenderSparse>
    {
        public Task Consume(ConsumeContext<RenderSparse> context) => Task.CompletedTask;
    }

    private sealed class Git : IConsumer<CommitIndex>
    {
        public Task Consume(ConsumeContext<CommitIndex> context) => Task.CompletedTask;
    }

    private sealed class Decided(Ends ends) : IConsumer<PublishDecided>
    {
        public Task Consume(ConsumeContext<PublishDecided> context)
        {
            if (ends.TryRemove(context.Message.PublishId, out var end)) end.Both.SetResult();
            return Task.CompletedTask;
        }
    }
}
