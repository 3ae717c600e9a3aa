using Pipeline.Api.Index;
using Pipeline.Registry.Store;

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

    private sealed class CountingStore : IObjectStore
    {
        public int Length { get; init; } = 1000;

        public int Opened { get; private set; }

        private ObjectIdentity Identity => new(Length, 1, 1, 1);

        public ValueTask<StoredObject?> OpenAsync(string key, ByteRange? range, CancellationToken cancellationToken)
        {
            Opened++;
            return ValueTask.FromResult<StoredObject?>(new StoredObject(new MemoryStream(new byte[Length]), Length, DateTimeOffset.UnixEpoch, Identity));
        }

        public ValueTask<ObjectIdentity?> IdentifyAsync(string key, CancellationToken cancellationToken = default) =>
            ValueTask.FromResult<ObjectIdentity?>(Identity);

        public ValueTask<bool> CreateAsync(string key, Stream content, long length, CancellationToken cancellationToken = default) => throw new NotSupportedException();

        public ValueTask PutAsync(string key, ReadOnlyMemory<byte> content, CancellationToken cancellationToken = default) => throw new NotSupportedException();

        public ValueTask<bool> PromoteAsync(StagedBytes staged, string key, bool replace, CancellationToken cancellationToken = default) => throw new NotSupportedException();

        public ValueTask ProbeAsync(CancellationToken cancellationToken = default) => throw new NotSupportedException();

        public ValueTask DeleteAsync(string key, CancellationToken cancellationToken = default) => throw new NotSupportedException();

        public IAsyncEnumerable<ObjectEntry> ListAsync(string folder, CancellationToken cancellationToken = default) => throw new NotSupportedException();
    }
}
