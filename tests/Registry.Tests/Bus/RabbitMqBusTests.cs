using System.Diagnostics;
using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Pipeline.Contracts;
using Pipeline.Contracts.Index;
using Pipeline.Contracts.Publishing;
using Pipeline.Registry.Bus;
using Pipeline.Registry.Bus.RabbitMq;
using Pipeline.Registry.Database;
using Pipeline.Registry.Failures;
using Pipeline.Registry.Options;
using Pipeline.Tests.Services;
using RabbitMQ.Client.Events;
using RabbitMQ.Client.Exceptions;

namespace Pipeline.Registry.Tests.Bus;

public sealed class RabbitMqBusTests
{
    private const string Queue = "validate-tarball";

    [Fact]
    public async Task Each_stage_has_a_quorum_queue_and_only_one_process_is_given_the_git_writers_bells()
    {
        await using var broker = await BrokerHost.CreateAsync(await RealServices.SharedAsync("rabbitmq"));
        await using var process = await Process.StartAsync(broker.Url);

        var queues = await broker.QueuesAsync();
        queues[Queue].GetProperty("type").GetString().ShouldBe("quorum");
        queues["commit-index"].GetProperty("arguments").GetProperty("x-single-active-consumer").GetBoolean().ShouldBeTrue();
        queues[Queue].GetProperty("arguments").TryGetProperty("x-single-active-consumer", out _).ShouldBeFalse();
        queues[Queue].GetProperty("arguments").GetProperty("x-overflow").GetString().ShouldBe("reject-publish");
    }

    [Fact]
    public async Task A_bell_rung_in_one_process_is_heard_in_another()
    {
        await using var broker = await BrokerHost.CreateAsync(await RealServices.SharedAsync("rabbitmq"));
        await using var worker = await Process.StartAsync(broker.Url);
        await using var api = await Process.StartAsync(broker.Url, consumes: false);

        await api.Doorbell.RingAsync(new ValidateTarball("heard"));

        (await worker.Heard.Next()).ShouldBe("heard");
    }

    [Fact]
    public async Task What_every_process_must_hear_every_process_hears()
    {
        await using var broker = await BrokerHost.CreateAsync(await RealServices.SharedAsync("rabbitmq"));
        await using var one = await Process.StartAsync(broker.Url);
        await using var other = await Process.StartAsync(broker.Url);

        await one.Doorbell.RingAsync(new PublishDecided("decided"));

        (await one.Decided.Next()).ShouldBe("decided");
        (await other.Decided.Next()).ShouldBe("decided");
    }

    [Fact]
    public async Task A_transient_failure_stores_its_next_try_and_a_fault_is_parked_and_neither_message_stays_at_the_broker()
    {
        await using var broker = await BrokerHost.CreateAsync(await RealServices.SharedAsync("rabbitmq"));
        await using var process = await Process.StartAsync(broker.Url);
        process.Heard.Throws = id => id == "busy" && process.Heard.Times(id) == 1 ? new TransientException("store-away", "the store is away") : id == "bug" ? new InvalidDataException("a bug") : null;

        await process.Doorbell.RingAsync(new ValidateTarball("busy"));
        await process.Doorbell.RingAsync(new ValidateTarball("bug"));

        // The transient one is rung again by itself and resolved; the fault stands.
        await process.UntilAsync("SELECT count(*) FROM failures WHERE key = 'busy' AND kind = 'transient' AND code = 'store-away' AND resolved_at IS NOT NULL", 1);
        await process.UntilAsync("SELECT count(*) FROM failures WHERE key = 'bug' AND kind = 'fault' AND code = 'InvalidDataException' AND resolved_at IS NULL", 1);
        (await broker.CountAsync(Queue)).ShouldBe(0);
        (await broker.CountAsync($"{Queue}_error")).ShouldBe(0);
    }

    [Fact]
    public async Task A_message_that_cannot_be_read_becomes_a_failure_row_and_leaves_the_broker()
    {
        await using var broker = await BrokerHost.CreateAsync(await RealServices.SharedAsync("rabbitmq"));
        await using var process = await Process.StartAsync(broker.Url, readsUnreadable: true);

        await broker.SendAsync(Queue, "{ this is no message");
        await broker.SendAsync(Queue, """{"messageId":"0e5d0000-5d1c-0015-8e05-08dd0a0a0a0a","messageType":["urn:message:Somebody:Else"],"message":{}}""");

        await process.UntilAsync("SELECT count(*) FROM failures WHERE stage = 'validate-tarball' AND kind = 'fault' AND code = 'unreadable-message'", 1);
        await process.UntilAsync("SELECT count(*) FROM failures WHERE stage = 'validate-tarball' AND kind = 'fault' AND code = 'skipped-message'", 1);
        await UntilAsync(async () => await broker.CountAsync($"{Queue}_error") + await broker.CountAsync($"{Queue}_skipped") == 0);
    }

    [Fact]
    public async Task The_depth_of_a_queue_is_what_waits_in_it_and_the_sweep_rings_no_more_than_is_free()
    {
        await using var broker = await BrokerHost.CreateAsync(await RealServices.SharedAsync("rabbitmq"));
        await using (await Process.StartAsync(broker.Url))
        {
            // Makes the queues, and is gone.
        }

        await using var api = await Process.StartAsync(broker.Url, consumes: false, workers: new WorkerOptions { QueueCapacity = 5 });
        (await api.Doorbell.LevelAsync(typeof(ValidateTarball))).ShouldBe(new QueueLevel(0, 5));

        for (var i = 0; i < 3; i++) await api.Doorbell.RingAsync(new ValidateTarball($"{i}"));

        await UntilAsync(async () => await api.Doorbell.LevelAsync(typeof(ValidateTarball)) == new QueueLevel(3, 5));
        (await api.Doorbell.LevelAsync(typeof(ReadManifest)))!.Value.Waiting.ShouldBe(0, "a queue that nobody has made yet is empty");
        await broker.WipeAsync();
    }

    [Fact]
    public async Task Bells_without_keys_of_one_moment_are_one_message()
    {
        await using var broker = await BrokerHost.CreateAsync(await RealServices.SharedAsync("rabbitmq"));
        await using (await Process.StartAsync(broker.Url))
        {
            // Makes the queues, and is gone.
        }

        await using var api = await Process.StartAsync(broker.Url, consumes: false);

        for (var i = 0; i < 50; i++) await api.Doorbell.RingAsync(new CommitIndex());

        await UntilAsync(async () => (await api.Doorbell.LevelAsync(typeof(CommitIndex)))!.Value.Waiting > 0);
        (await broker.CountAsync("commit-index")).ShouldBe(1);
        await broker.WipeAsync();
    }

    [Fact]
    public async Task A_broker_that_goes_away_holds_nobody_up_and_bells_ring_again_when_it_is_back()
    {
        await using var broker = await BrokerHost.CreateAsync(await RealServices.SharedAsync("rabbitmq"));
        // It rings until it is heard, so some bells come after that.
        broker.MayHold(Queue);
        var url = new UriBuilder(broker.Url);
        await using var cable = Cable.To(url.Port);
        url.Port = cable.Port;
        await using var process = await Process.StartAsync(url.Uri.AbsoluteUri, options: new BusOptions { RingSeconds = 0.5 });
        // On a busy machine the first bells may take longer than a bell may.
        await UntilAsync(async () =>
        {
            await process.Doorbell.RingAsync(new ValidateTarball("first"));
            return process.Heard.Times("first") > 0;
        });
        cable.Cut();

        var watch = Stopwatch.StartNew();
        for (var i = 0; i < 100; i++) await process.Doorbell.RingAsync(new ValidateTarball($"lost {i}"));
        watch.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(5), "one bell waits for the broker; those after it do not");
        process.Doorbell.HasRoom<ValidateTarball>().ShouldBeFalse();
        (await process.Doorbell.LevelAsync(typeof(ValidateTarball))).ShouldBeNull();

        cable.Mend();
        await UntilAsync(async () =>
        {
            await process.Doorbell.RingAsync(new ValidateTarball("back"));
            return process.Heard.Times("back") > 0 || process.IsStuck;
        }, seconds: 150);
        if (!process.IsStuck) return;
        await using var next = await process.FollowAsync(url.Uri.AbsoluteUri);
        await UntilAsync(async () =>
        {
            await next.Doorbell.RingAsync(new ValidateTarball("back"));
            return next.Heard.Times("back") > 0;
        });
    }

    [Fact]
    public async Task Work_that_is_cancelled_because_the_way_to_the_broker_is_lost_is_no_failure_and_is_done_again()
    {
        await using var broker = await BrokerHost.CreateAsync(await RealServices.SharedAsync("rabbitmq"));
        var url = new UriBuilder(broker.Url);
        await using var cable = Cable.To(url.Port);
        url.Port = cable.Port;
        await using var process = await Process.StartAsync(url.Uri.AbsoluteUri);
        await process.Doorbell.RingAsync(new ValidateTarball("held"));
        (await process.Heard.Next()).ShouldBe("held");

        cable.Cut();
        cable.Mend();

        await UntilAsync(() => Task.FromResult(process.Heard.Times("held") > 1 || process.IsStuck), seconds: 150);
        await process.UntilAsync("SELECT count(*) FROM failures", 0);
        if (!process.IsStuck) return;
        await using var next = await process.FollowAsync(url.Uri.AbsoluteUri);
        (await next.Heard.Next()).ShouldBe("held");
    }

    [Fact]
    public void A_failure_on_a_connection_that_had_ended_tells_of_a_stuck_bus_and_one_to_connect_or_to_declare_a_queue_does_not()
    {
        var ended = new ShutdownEventArgs(RabbitMQ.Client.ShutdownInitiator.Library, 541, "reset");
        StuckBus.IsOfDeadConnection(null).ShouldBeFalse();
        StuckBus.IsOfDeadConnection(new ConnectionException("away", new BrokerUnreachableException(new IOException("refused")))).ShouldBeFalse();
        StuckBus.IsOfDeadConnection(new ConnectionException("a queue of another kind", new OperationInterruptedException(ended))).ShouldBeFalse();
        StuckBus.IsOfDeadConnection(new ConnectionException("faulted", new AlreadyClosedException(ended))).ShouldBeTrue();
    }

    // The bus tries again after up to a minute, when the broker was away for long.
    private static async Task UntilAsync(Func<Task<bool>> holds, double seconds = 60)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(seconds));
        while (!await holds()) await Task.Delay(50, patience.Token);
    }

    /// <summary>What a process of the registry has of the bus, with consumers that only listen.</summary>
    private sealed class Process : IAsyncDisposable
    {
        private readonly IHost _host;
        private readonly TempDatabase _temp;

        private Process(IHost host, TempDatabase temp)
        {
            _host = host;
            _temp = temp;
        }

        public IDoorbell Doorbell => _host.Services.GetRequiredService<IDoorbell>();

        public bool IsStuck => _host.Services.GetRequiredService<StuckBus>().IsFound;

        public Ear<ValidateTarball> Heard => _host.Services.GetRequiredService<Ear<ValidateTarball>>();

        public Ear<PublishDecided> Decided => _host.Services.GetRequiredService<Ear<PublishDecided>>();

        public static async Task<Process> StartAsync(string url, bool consumes = true, bool readsUnreadable = false, BusOptions? options = null, WorkerOptions? workers = null)
        {
            var temp = await TempDatabase.CreateAsync();
            var builder = Host.CreateEmptyApplicationBuilder(null);
            builder.Logging.SetMinimumLevel(LogLevel.None);
            var services = builder.Services;
            services.AddSingleton(TimeProvider.System);
            services.AddSingleton<IDatabase>(temp.Database);
            services.AddSingleton(workers ?? new WorkerOptions());
            services.AddSingleton(new Ear<ValidateTarball>());
            services.AddSingleton(new Ear<PublishDecided>());
            services.AddSingleton(new Stage(Queue, typeof(ValidateTarball), static bell => ((ValidateTarball)bell).PublishId, null, StageReplay.OfRows()));
            services.AddSingleton(new Stage("commit-index", typeof(CommitIndex), static _ => "git", null));
            services.AddSingleton(new Stage("publish-decided", typeof(PublishDecided), static bell => ((PublishDecided)bell).PublishId, null));
            services.AddRabbitMqBus((options ?? new BusOptions()) with { RabbitMq = new Secret(url) }, new Dictionary<string, int> { [Queue] = 8, ["commit-index"] = 1 }, bus =>
            {
                bus.AddConsumer<DecidedConsumer>().Endpoint(endpoint =>
                {
                    endpoint.Name = "publish-decided";
                    endpoint.Temporary = true;
                    endpoint.InstanceId = $"-{Guid.NewGuid():N}";
                });
                if (!consumes) return;
                bus.AddConsumer<TarballConsumer>().Endpoint(static endpoint => endpoint.Name = Queue);
                bus.AddConsumer<CommitConsumer>().Endpoint(static endpoint => endpoint.Name = "commit-index");
            });
            if (readsUnreadable) services.AddHostedService<UnreadableMessages>();
            var process = new Process(builder.Build(), temp);
            await process._host.StartAsync();
            await process._host.Services.GetRequiredService<IBusControl>().WaitForHealthStatus(BusHealthStatus.Healthy, TimeSpan.FromSeconds(60));
            return process;
        }

        public Task UntilAsync(string count, long expected) =>
            RabbitMqBusTests.UntilAsync(async () => await _temp.Database.ReadAsync(sql => sql.LongAsync(count)) == expected);

        /// <summary>The host that follows one whose libraries lost themselves, which is seen on a busy machine.</summary>
        public async Task<Process> FollowAsync(string url)
        {
            await _host.StopAsync();
            return await StartAsync(url);
        }

        public async ValueTask DisposeAsync()
        {
            await _host.StopAsync();
            await ((IAsyncDisposable)_host).DisposeAsync();
            await _temp.DisposeAsync();
        }
    }

    /// <summary>What a consumer has heard.</summary>
    private sealed class Ear<T>
    {
        private readonly System.Threading.Channels.Channel<string> _heard = System.Threading.Channels.Channel.CreateUnbounded<string>();
        private readonly System.Collections.Concurrent.ConcurrentDictionary<string, int> _times = new();

        public Func<string, Exception?> Throws { get; set; } = static _ => null;

        public int Times(string key) => _times.GetValueOrDefault(key);

        public async Task<string> Next()
        {
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
            return await _heard.Reader.ReadAsync(patience.Token);
        }

        public Task Hear(string key)
        {
            _times.AddOrUpdate(key, 1, static (_, times) => times + 1);
            _heard.Writer.TryWrite(key);
            return Throws(key) is { } failure ? Task.FromException(failure) : Task.CompletedTask;
        }
    }

    private sealed class TarballConsumer(Ear<ValidateTarball> ear) : IConsumer<ValidateTarball>
    {
        public async Task Consume(ConsumeContext<ValidateTarball> context)
        {
            await ear.Hear(context.Message.PublishId);
            // Work that is under way when the bus gives its message up.
            if (context.Message.PublishId == "held" && ear.Times("held") == 1) await Task.Delay(Timeout.Infinite, context.CancellationToken);
        }
    }

    private sealed class CommitConsumer : IConsumer<CommitIndex>
    {
        public Task Consume(ConsumeContext<CommitIndex> context) => Task.CompletedTask;
    }

    private sealed class DecidedConsumer(Ear<PublishDecided> ear) : IConsumer<PublishDecided>
    {
        public Task Consume(ConsumeContext<PublishDecided> context) => ear.Hear(context.Message.PublishId);
    }
}
