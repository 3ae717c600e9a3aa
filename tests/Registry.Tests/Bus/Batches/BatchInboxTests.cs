using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Pipeline.Contracts.Publishing;
using Pipeline.Registry.Bus;
using Pipeline.Registry.Bus.Batches;
using Pipeline.Registry.Database;
using Pipeline.Registry.Options;

namespace Pipeline.Registry.Tests.Bus.Batches;

public sealed class BatchInboxTests : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Worker _worker = new();
    private TempDatabase _temp = null!;
    private IHost _host = null!;

    public async ValueTask InitializeAsync()
    {
        _temp = await TempDatabase.CreateAsync();
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddSingleton<IDatabase>(_temp.Database);
        builder.Services.AddSingleton(new WorkerOptions());
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddSingleton(new Stage(
            "validate-tarball", typeof(ValidateTarball), static bell => ((ValidateTarball)bell).PublishId, null, StageReplay.OfRows(), IsBatched: true));
        builder.Services.AddInMemoryBus(static bus => bus.AddBatchConsumer<ValidateTarball, string, Worker>(
            "validate-tarball", static bell => bell.PublishId, new Batching(4, static _ => 2)));
        builder.Services.AddSingleton(_worker);
        _host = builder.Build();
        await _host.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        _worker.Open.TrySetResult();
        await _host.StopAsync();
        _host.Dispose();
        await _temp.DisposeAsync();
    }

    [Fact]
    public async Task What_waits_while_a_batch_is_worked_on_is_the_next_batches_up_to_the_bound()
    {
        await RingAsync("held");
        await _worker.UntilAsync(static batches => batches.Count == 1);
        await RingAsync("a", "b", "c", "d", "e", "a");
        _worker.Open.SetResult();

        await _worker.UntilAsync(static batches => batches.SelectMany(static keys => keys).Distinct().Count() == 6);
        _worker.Batches.ShouldAllBe(static keys => keys.Length <= 4);
        _worker.Batches.Skip(1).First().ShouldBe(["a", "b", "c", "d"]);
    }

    [Fact]
    public async Task Who_closes_the_stage_waits_for_the_batch_at_work()
    {
        await RingAsync("held");
        await _worker.UntilAsync(static batches => batches.Count == 1);

        var closing = _host.Services.GetRequiredService<BatchInbox<ValidateTarball, string>>().DisposeAsync().AsTask();

        closing.IsCompleted.ShouldBeFalse();
        _worker.Open.SetResult();
        await closing.WaitAsync(Patience, TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task A_slow_batch_holds_up_no_other()
    {
        await RingAsync("held");
        await _worker.UntilAsync(static batches => batches.Count == 1);
        await RingAsync("quick");

        await _worker.UntilAsync(static batches => batches.Any(static keys => keys.Contains("quick")));
        _worker.Open.Task.IsCompleted.ShouldBeFalse();
    }

    [Fact]
    public async Task A_key_that_fails_is_a_failure_row_and_the_others_of_its_batch_are_done()
    {
        await RingAsync("held");
        await _worker.UntilAsync(static batches => batches.Count == 1);
        await RingAsync("good", "bad", "fine");
        _worker.Open.SetResult();

        await FailuresAsync(1);
        (await _temp.TextAsync("SELECT stage || ' ' || key || ' ' || kind FROM failures")).ShouldBe("validate-tarball bad fault");
    }

    [Fact]
    public async Task A_batch_that_throws_is_a_failure_of_each_of_its_keys()
    {
        await RingAsync("held");
        await _worker.UntilAsync(static batches => batches.Count == 1);
        await RingAsync("one", "throws");
        _worker.Open.SetResult();

        await FailuresAsync(2);
        (await _temp.LongAsync("SELECT count(*) FROM failures WHERE key IN ('one', 'throws') AND code = 'NotSupportedException'")).ShouldBe(2);
    }

    [Fact]
    public void A_joined_bell_is_split_into_the_bells_it_was_made_of()
    {
        var bells = new[] { new ValidateTarball("a"), new ValidateTarball("b"), new ValidateTarball("c") };
        var joined = JoinedBells.Join<ValidateTarball>(bells);
        joined.PublishId.ShouldBe("a");
        JoinedBells.Split(joined).ShouldBe(bells);
        JoinedBells.Split(bells[0]).ShouldBe([bells[0]]);
    }

    private async Task RingAsync(params string[] keys) =>
        await _host.Services.GetRequiredService<IDoorbell>().RingAllAsync<ValidateTarball>([.. keys.Select(static key => new ValidateTarball(key))]);

    private async Task FailuresAsync(long count)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (await _temp.LongAsync("SELECT count(*) FROM failures") < count) await Task.Delay(10, patience.Token);
    }

    /// <summary>Notes its batches. The key <c>held</c> waits until it is let go, <c>bad</c> fails, <c>throws</c> fails the batch.</summary>
    private sealed class Worker : IBatchConsumer<string>
    {
        private readonly ConcurrentQueue<string[]> _batches = new();

        public TaskCompletionSource Open { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public IReadOnlyCollection<string[]> Batches => _batches;

        public async Task ConsumeAsync(StageBatch<string> batch, CancellationToken cancellationToken)
        {
            _batches.Enqueue([.. batch.Items.Select(static item => item.Key)]);
            foreach (var item in batch.Items)
            {
                if (item.Key == "held") await Open.Task.WaitAsync(cancellationToken);
                if (item.Key == "bad") item.Fail(new InvalidOperationException("planted"));
                if (item.Key == "throws") throw new NotSupportedException("planted");
            }
        }

        public async Task UntilAsync(Func<IReadOnlyCollection<string[]>, bool> holds)
        {
            using var patience = new CancellationTokenSource(Patience);
            while (!holds(Batches)) await Task.Delay(5, patience.Token);
        }
    }
}
