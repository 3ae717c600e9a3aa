using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Pipeline.Contracts.Upkeep;
using Pipeline.Registry.Bus;
using Pipeline.Registry.Database;
using Pipeline.Registry.Options;

namespace Pipeline.Registry.Tests.Bus;

public sealed class InMemoryBusTests
{
    [Fact]
    public async Task Messages_of_one_queue_are_worked_on_side_by_side_even_where_nothing_is_waited_for()
    {
        await using var temp = await TempDatabase.CreateAsync();
        using var together = new Barrier(2);
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddSingleton<IDatabase>(temp.Database);
        builder.Services.AddSingleton(new WorkerOptions());
        builder.Services.AddSingleton(together);
        builder.Services.AddSingleton(new Stage("record-crate", typeof(RecordCrate), static _ => "", null));
        builder.Services.AddInMemoryBus(static bus => bus.AddConsumer<BusyConsumer>());
        using var host = builder.Build();
        await host.StartAsync();
        var doorbell = host.Services.GetRequiredService<IDoorbell>();

        await doorbell.RingAsync(new RecordCrate(1));
        await doorbell.RingAsync(new RecordCrate(2));

        (await BusyConsumer.Met.Task.WaitAsync(TimeSpan.FromSeconds(60))).ShouldBeTrue();
        await host.StopAsync();
    }

    /// <summary>Holds its thread until another message is being worked on too.</summary>
    private sealed class BusyConsumer(Barrier together) : IConsumer<RecordCrate>
    {
        public static readonly TaskCompletionSource<bool> Met = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Consume(ConsumeContext<RecordCrate> context)
        {
            Met.TrySetResult(together.SignalAndWait(TimeSpan.FromSeconds(20)));
            return Task.CompletedTask;
        }
    }
}
