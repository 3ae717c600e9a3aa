using System.Reflection;
using Pipeline.Api.Publishing;
using Pipeline.Registry.Failures;
using Pipeline.Registry.Store;
using Pipeline.Registry.Tests;

namespace Pipeline.Api.Tests.Publishing;

public sealed class StoreReachTests
{
    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_answer_holds_for_the_time_that_index_files_are_fresh_and_a_refusal_for_none()
    {
        var (store, clock) = (ProbedStore.Create(), new ManualClock());
        var reach = new StoreReach(store, new StoreOptions { FreshSeconds = 0.5 }, clock);
        for (var i = 0; i < 3; i++) await reach.AskAsync(Cancel);
        ((ProbedStore)store).Asked.ShouldBe(1);

        ((ProbedStore)store).IsAway = true;
        clock.Advance(TimeSpan.FromSeconds(0.4));
        await reach.AskAsync(Cancel);
        clock.Advance(TimeSpan.FromSeconds(0.2));
        await Should.ThrowAsync<TransientException>(() => reach.AskAsync(Cancel));
        await Should.ThrowAsync<TransientException>(() => reach.AskAsync(Cancel));
        ((ProbedStore)store).Asked.ShouldBe(3);

        ((ProbedStore)store).IsAway = false;
        await reach.AskAsync(Cancel);
    }

    [Fact]
    public async Task Those_who_ask_while_one_waits_get_its_answer()
    {
        var store = ProbedStore.Create();
        var probed = (ProbedStore)store;
        probed.Gate = new TaskCompletionSource();
        var reach = new StoreReach(store, new StoreOptions { FreshSeconds = 0 }, new ManualClock());
        var asks = Enumerable.Range(0, 20).Select(_ => reach.AskAsync(Cancel)).ToList();
        asks.ShouldAllBe(static ask => !ask.IsCompleted);
        probed.Gate.SetResult();

        await Task.WhenAll(asks);
        probed.Asked.ShouldBe(1);
    }

    /// <summary>A store that can only be asked whether it is there.</summary>
    public class ProbedStore : DispatchProxy
    {
        public int Asked { get; private set; }

        public bool IsAway { get; set; }

        public TaskCompletionSource? Gate { get; set; }

        public static IObjectStore Create() => Create<IObjectStore, ProbedStore>();

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
        {
            if (targetMethod?.Name != nameof(IObjectStore.ProbeAsync)) throw new NotSupportedException(targetMethod?.Name);
            Asked++;
            return new ValueTask(AnswerAsync());
        }

        private async Task AnswerAsync()
        {
            if (Gate is not null) await Gate.Task;
            if (IsAway) throw new TransientException("store-away", "away");
        }
    }
}
