using Pipeline.Registry.Failures;
using Pipeline.Registry.Store;

namespace Pipeline.Workers.Tests.Harness;

/// <summary>A store that fails, pauses or counts on demand, in front of a real one.</summary>
internal sealed class FaultyStore(IObjectStore inner) : IObjectStore
{
    private int _puts;

    /// <summary>Thrown by the next writes while set.</summary>
    public Exception? Failure { get; set; }

    /// <summary>Thrown by reads while set.</summary>
    public Exception? ReadFailure { get; set; }

    /// <summary>Thrown by deletions while set.</summary>
    public Exception? DeleteFailure { get; set; }

    /// <summary>Awaited before each put.</summary>
    public Func<string, Task>? BeforePut { get; set; }

    public int Puts => _puts;

    /// <summary>Whether it lets its folders be seen, as a store on disk does.</summary>
    public bool HasFolders { get; set; } = true;

    public FolderStore? Folders => HasFolders ? inner.Folders : null;

    public static TransientException Away => new("store-away", "the object store does not answer");

    public ValueTask<bool> CreateAsync(string key, Stream content, long length, CancellationToken cancellationToken = default) =>
        Failure is { } failure ? throw failure : inner.CreateAsync(key, content, length, cancellationToken);

    public bool IsDurableAtOnce => inner.IsDurableAtOnce;

    /// <summary>Thrown by syncs while set.</summary>
    public Exception? SyncFailure { get; set; }

    public int Syncs { get; private set; }

    public async ValueTask SyncAsync(CancellationToken cancellationToken = default)
    {
        if (SyncFailure is { } failure) throw failure;
        await inner.SyncAsync(cancellationToken);
        Syncs++;
    }

    public ValueTask<bool> CreateUnsyncedAsync(string key, ReadOnlyMemory<byte> content, CancellationToken cancellationToken = default) =>
        Failure is { } failure ? throw failure : inner.CreateUnsyncedAsync(key, content, cancellationToken);

    public async ValueTask PutUnsyncedAsync(string key, ReadOnlyMemory<byte> content, CancellationToken cancellationToken = default)
    {
        if (Failure is { } failure) throw failure;
        if (BeforePut is { } before) await before(key);
        Interlocked.Increment(ref _puts);
        await inner.PutUnsyncedAsync(key, content, cancellationToken);
    }

    public async ValueTask PutAsync(string key, ReadOnlyMemory<byte> content, CancellationToken cancellationToken = default)
    {
        if (Failure is { } failure) throw failure;
        if (BeforePut is { } before) await before(key);
        Interlocked.Increment(ref _puts);
        await inner.PutAsync(key, content, cancellationToken);
    }

    public ValueTask<bool> PromoteAsync(StagedBytes staged, string key, bool replace, CancellationToken cancellationToken = default) =>
        Failure is { } failure ? throw failure : inner.PromoteAsync(staged, key, replace, cancellationToken);

    public ValueTask<StoredObject?> OpenAsync(string key, ByteRange? range, CancellationToken cancellationToken) =>
        ReadFailure is { } failure ? throw failure : inner.OpenAsync(key, range, cancellationToken);

    public ValueTask ProbeAsync(CancellationToken cancellationToken = default) => inner.ProbeAsync(cancellationToken);

    public ValueTask DeleteAsync(string key, CancellationToken cancellationToken = default) =>
        DeleteFailure is { } failure ? throw failure : inner.DeleteAsync(key, cancellationToken);

    public IAsyncEnumerable<ObjectEntry> ListAsync(string folder, CancellationToken cancellationToken = default) => inner.ListAsync(folder, cancellationToken);
}
