using Pipeline.Registry.Store;

namespace Pipeline.Registry.Tests.Store;

public sealed class GroupSyncTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Those_who_ask_while_a_sync_runs_share_the_next_one()
    {
        var (count, begun, go) = (0, new SemaphoreSlim(0), new SemaphoreSlim(0));
        var group = new GroupSync(
            () =>
            {
                Interlocked.Increment(ref count);
                begun.Release();
                go.Wait(Patience);
            },
            TimeSpan.Zero, TimeProvider.System);

        var first = group.WaitAsync();
        (await begun.WaitAsync(Patience, TestContext.Current.CancellationToken)).ShouldBeTrue();
        // The first has begun: what these wrote it may not have seen.
        var later = Enumerable.Range(0, 10).Select(_ => group.WaitAsync()).ToList();
        go.Release();
        await first.WaitAsync(Patience, TestContext.Current.CancellationToken);
        later.ShouldAllBe(static one => !one.IsCompleted);
        go.Release();
        await Task.WhenAll(later).WaitAsync(Patience, TestContext.Current.CancellationToken);

        count.ShouldBe(2);
    }

    [Fact]
    public async Task A_sync_that_fails_fails_for_all_who_shared_it_and_for_nobody_else()
    {
        var fails = true;
        var group = new GroupSync(() => { if (fails) throw new IOException("planted"); }, TimeSpan.Zero, TimeProvider.System);

        await Should.ThrowAsync<IOException>(() => group.WaitAsync());
        fails = false;
        await group.WaitAsync().WaitAsync(Patience, TestContext.Current.CancellationToken);
    }
}
