using Pipeline.Api.Index;
using Pipeline.Registry.Cdn;
using Pipeline.Registry.Failures;
using Pipeline.Registry.Store;
using Pipeline.Registry.Tests;

namespace Pipeline.Api.Tests.Index;

public class IndexFileCacheTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_file_is_read_once_and_then_only_looked_at()
    {
        var store = new CountingStore();
        var cache = new IndexFileCache(store, new StoreOptions(), TimeProvider.System);
        for (var i = 0; i < 3; i++) (await cache.FindAsync("3/a/abc", Cancel))!.Content.Length.ShouldBe(store.Length);
        store.Opened.ShouldBe(1);
    }

    [Fact]
    public async Task Files_beyond_the_bound_are_dropped_and_those_in_use_stay()
    {
        var store = new CountingStore { Length = 1024 * 1024 };
        var cache = new IndexFileCache(store, new StoreOptions(), TimeProvider.System);
        for (var i = 0; i < 200; i++)
        {
            await cache.FindAsync($"na/me/name{i:000}", Cancel);
            await cache.FindAsync("3/h/hot", Cancel);
        }

        // 48 MiB hold about 32 such files with what comes with them.
        var opened = store.Opened;
        await cache.FindAsync("3/h/hot", Cancel);
        store.Opened.ShouldBe(opened);
        var again = 0;
        for (var i = 0; i < 200; i++)
        {
            var before = store.Opened;
            await cache.FindAsync($"na/me/name{i:000}", Cancel);
            again += store.Opened - before;
        }

        again.ShouldBeGreaterThan(160);
    }

    [Fact]
    public async Task A_file_larger_than_is_kept_is_served_and_not_kept()
    {
        var store = new CountingStore { Length = 5 * 1024 * 1024 };
        var cache = new IndexFileCache(store, new StoreOptions(), TimeProvider.System);
        (await cache.FindAsync("3/a/abc", Cancel))!.Content.Length.ShouldBe(store.Length);
        (await cache.FindAsync("3/a/abc", Cancel))!.Content.Length.ShouldBe(store.Length);
        store.Opened.ShouldBe(2);
    }

    [Fact]
    public async Task Where_asking_is_a_round_trip_an_answer_holds_for_the_configured_time_and_no_longer()
    {
        var (store, clock) = (new CountingStore(), new ManualClock());
        var cache = new IndexFileCache(store, new StoreOptions { FreshSeconds = 0.5 }, clock);
        for (var i = 0; i < 3; i++) await cache.FindAsync("3/a/abc", Cancel);
        (store.Opened, store.Asked).ShouldBe((1, 0));

        store.Length = 2000;
        clock.Advance(TimeSpan.FromSeconds(0.49));
        (await cache.FindAsync("3/a/abc", Cancel))!.Content.Length.ShouldBe(1000);
        clock.Advance(TimeSpan.FromSeconds(0.01));
        (await cache.FindAsync("3/a/abc", Cancel))!.Content.Length.ShouldBe(2000);
        (store.Opened, store.Asked).ShouldBe((2, 1));
        clock.Advance(TimeSpan.FromSeconds(0.5));
        for (var i = 0; i < 3; i++) await cache.FindAsync("3/a/abc", Cancel);
        (store.Opened, store.Asked).ShouldBe((2, 2));
    }

    [Fact]
    public async Task One_question_to_a_far_store_serves_all_who_need_its_answer()
    {
        var (store, clock) = (new CountingStore { Gate = new() }, new ManualClock());
        var cache = new IndexFileCache(store, new StoreOptions { FreshSeconds = 0.5 }, clock);
        foreach (var asked in new[] { (1, 0), (1, 1) })
        {
            var all = Enumerable.Range(0, 16).Select(_ => cache.FindAsync("3/a/abc", Cancel).AsTask()).ToArray();
            store.Gate!.SetResult();
            foreach (var one in all) (await one)!.Content.Length.ShouldBe(store.Length);
            (store.Opened, store.Asked).ShouldBe(asked);
            store.Gate = new();
            clock.Advance(TimeSpan.FromSeconds(1));
        }
    }

    [Fact]
    public async Task Behind_a_shared_cache_every_use_asks_the_store_and_what_cannot_be_asked_for_is_served_but_not_kept()
    {
        var store = new CountingStore();
        var cache = new IndexFileCache(store, new StoreOptions(), TimeProvider.System, new CdnOptions { IndexSeconds = 60 });
        await cache.FindAsync("3/a/abc", Cancel);
        store.Length = 1001;
        (await cache.FindAsync("3/a/abc", Cancel))!.Content.Length.ShouldBe(1001);

        store.Failure = new TransientException("store-away", "the store is away");
        (await cache.FindAsync("3/a/abc", Cancel))!.IsDoubtful.ShouldBeTrue();
        store.Failure = null;
        (await cache.FindAsync("3/a/abc", Cancel))!.IsDoubtful.ShouldBeFalse();
    }

    [Fact]
    public async Task While_a_far_store_is_away_what_is_in_memory_is_served()
    {
        var (store, clock) = (new CountingStore(), new ManualClock());
        var cache = new IndexFileCache(store, new StoreOptions { FreshSeconds = 0.5 }, clock);
        await cache.FindAsync("3/a/abc", Cancel);
        store.Failure = new TransientException("store-away", "the store is away");
        clock.Advance(TimeSpan.FromSeconds(1));
        (await cache.FindAsync("3/a/abc", Cancel))!.Content.Length.ShouldBe(1000);
        await Should.ThrowAsync<TransientException>(() => cache.FindAsync("3/d/def", Cancel).AsTask());

        (store.Failure, store.Length) = (null, 2000);
        clock.Advance(TimeSpan.FromSeconds(1));
        (await cache.FindAsync("3/a/abc", Cancel))!.Content.Length.ShouldBe(2000);
    }

    [Fact]
    public async Task A_far_store_that_does_not_answer_holds_up_a_file_in_memory_for_a_second_at_most()
    {
        var (store, clock) = (new CountingStore(), new ManualClock());
        var cache = new IndexFileCache(store, new StoreOptions { FreshSeconds = 0.5 }, clock);
        await cache.FindAsync("3/a/abc", Cancel);
        store.Gate = new();
        clock.Advance(TimeSpan.FromSeconds(1));
        (await cache.FindAsync("3/a/abc", Cancel))!.Content.Length.ShouldBe(1000);
        store.Gate.SetResult();
    }

    private sealed class CountingStore : IObjectStore
    {
        public int Length { get; set; } = 1000;

        public int Opened { get; private set; }

        public int Asked { get; private set; }

        /// <summary>Awaited before each answer.</summary>
        public TaskCompletionSource? Gate { get; set; }

        /// <summary>Thrown while set.</summary>
        public Exception? Failure { get; set; }

        private ObjectIdentity Identity => new(Length, 1, 1, 1);

        public async ValueTask<StoredObject?> OpenAsync(string key, ByteRange? range, CancellationToken cancellationToken)
        {
            Opened++;
            await AnswerAsync();
            return new StoredObject(new MemoryStream(new byte[Length]), Length, DateTimeOffset.UnixEpoch, Identity);
        }

        public async ValueTask<ObjectIdentity?> IdentifyAsync(string key, CancellationToken cancellationToken = default)
        {
            Asked++;
            await AnswerAsync();
            return Identity;
        }

        public ValueTask<bool> CreateAsync(string key, Stream content, long length, CancellationToken cancellationToken = default) => throw new NotSupportedException();

        public ValueTask PutAsync(string key, ReadOnlyMemory<byte> content, CancellationToken cancellationToken = default) => throw new NotSupportedException();

        public ValueTask<bool> PromoteAsync(StagedBytes staged, string key, bool replace, CancellationToken cancellationToken = default) => throw new NotSupportedException();

        public ValueTask ProbeAsync(CancellationToken cancellationToken = default) => throw new NotSupportedException();

        public ValueTask DeleteAsync(string key, CancellationToken cancellationToken = default) => throw new NotSupportedException();

        public IAsyncEnumerable<ObjectEntry> ListAsync(string folder, CancellationToken cancellationToken = default) => throw new NotSupportedException();

        private Task AnswerAsync() => Failure is { } failure ? Task.FromException(failure) : Gate?.Task ?? Task.CompletedTask;
    }
}
