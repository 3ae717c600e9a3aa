using System.Collections.Concurrent;
using Pipeline.Contracts;
using Pipeline.Contracts.Index;
using Pipeline.Registry.Cdn;
using Pipeline.Registry.Failures;
using Pipeline.Registry.Store;

namespace Pipeline.Api.Index;

/// <summary>
/// Sparse index files in memory, bounded. Each use asks the store whether the file is still the one that was read, so a file that
/// another process rewrote is seen by the very next request. Where asking is a round trip, an answer holds for a moment
/// (<see cref="StoreOptions.FreshSeconds"/>), one question at a time serves all who need its answer, and while the store is away what is in memory is served.
/// A shared cache in front asks only after a purge, so what it is given must be asked for then, and by no question that is older.
/// </summary>
public sealed class IndexFileCache(IObjectStore store, StoreOptions options, TimeProvider clock, CdnOptions? cdn = null)
{
    private const long Capacity = 48L * 1024 * 1024;
    private const int LargestKept = 4 * 1024 * 1024;
    private const long LargestServed = 256L * 1024 * 1024;

    // A store slower than this counts as away for a file that is in memory.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<string, CachedFile> _files = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, Lazy<Task<CachedFile?>>> _looks = new(StringComparer.Ordinal);
    private readonly Lock _gate = new();
    private readonly TimeSpan _freshness = cdn is { IndexSeconds: > 0 } ? TimeSpan.Zero : options.Freshness;
    private long _cost;

    /// <summary>The file at an index path as it is now; null: there is none, or the path is none.</summary>
    /// <param name="path">The path below the index root, in no form but the one of <see cref="IndexPath.Of"/>.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="TransientException">The store is away, and the file is not in memory.</exception>
    public ValueTask<CachedFile?> FindAsync(ReadOnlySpan<char> path, CancellationToken cancellationToken = default)
    {
        if (!_files.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(path, out var file)) return IsPath(path) ? FindUnknownAsync(path.ToString(), cancellationToken) : default;
        if (_freshness > TimeSpan.Zero)
        {
            if (clock.GetElapsedTime(file.CheckedAt) >= _freshness) return LookAgainAsync(path.ToString(), file, cancellationToken);
            file.Use();
            return ValueTask.FromResult<CachedFile?>(file);
        }

        var identity = store.IdentifyAsync(file.Key, cancellationToken);
        if (!identity.IsCompletedSuccessfully) return CheckAsync(path.ToString(), file, identity, cancellationToken);
        if (identity.Result != file.Identity) return LoadAsync(path.ToString(), cancellationToken);
        file.IsDoubtful = false;
        file.Use();
        return ValueTask.FromResult<CachedFile?>(file);
    }

    /// <summary>Whether a path is where the index file of some crate would be.</summary>
    private static bool IsPath(ReadOnlySpan<char> path)
    {
        var name = path[(path.LastIndexOf('/') + 1)..];
        return NameRules.Check(name, NameUse.Crate) is null && path.SequenceEqual(IndexPath.Of(name.ToString()));
    }

    private ValueTask<CachedFile?> FindUnknownAsync(string path, CancellationToken cancellationToken) =>
        _freshness > TimeSpan.Zero ? new ValueTask<CachedFile?>(LookAsync(path).WaitAsync(cancellationToken)) : LoadAsync(path, cancellationToken);

    private async ValueTask<CachedFile?> LookAgainAsync(string path, CachedFile file, CancellationToken cancellationToken)
    {
        file.Use();
        try
        {
            return await LookAsync(path).WaitAsync(Patience, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is TransientException or TimeoutException)
        {
            // Reading goes on while the store is away (design §8); whoever needs to know sees it in the publishes that wait.
            file.CheckedAt = clock.GetTimestamp();
            return file;
        }
    }

    /// <summary>The one look at a path that is under way; it ends by itself, whoever of its callers goes away.</summary>
    private Task<CachedFile?> LookAsync(string path) => _looks.GetOrAdd(path, static (path, cache) => new(() => cache.RunLookAsync(path)), this).Value;

    private async Task<CachedFile?> RunLookAsync(string path)
    {
        // Off the caller's stack: the look must stand in the table before it can end.
        await Task.Yield();
        try
        {
            if (!_files.TryGetValue(path, out var file) || await store.IdentifyAsync(file.Key).ConfigureAwait(false) != file.Identity)
                return await LoadAsync(path, CancellationToken.None).ConfigureAwait(false);
            file.CheckedAt = clock.GetTimestamp();
            return file;
        }
        finally
        {
            _looks.TryRemove(path, out _);
        }
    }

    private async ValueTask<CachedFile?> CheckAsync(string path, CachedFile file, ValueTask<ObjectIdentity?> identity, CancellationToken cancellationToken)
    {
        try
        {
            if (await identity.AsTask().WaitAsync(Patience, cancellationToken).ConfigureAwait(false) != file.Identity) return await LoadAsync(path, cancellationToken).ConfigureAwait(false);
            file.IsDoubtful = false;
        }
        catch (Exception e) when (e is TransientException or TimeoutException)
        {
            // As above, but nobody may keep it.
            file.IsDoubtful = true;
        }

        file.Use();
        return file;
    }

    private async ValueTask<CachedFile?> LoadAsync(string path, CancellationToken cancellationToken)
    {
        var key = StoreKeys.SparseFile(path);
        var asked = clock.GetTimestamp();
        var found = await store.OpenAsync(key, cancellationToken).ConfigureAwait(false);
        if (found is null)
        {
            Forget(path);
            return null;
        }

        await using (found.ConfigureAwait(false))
        {
            if (found.Length > LargestServed) throw new InvalidDataException($"the index file {path} has {found.Length} bytes");
            var content = new byte[found.Length];
            await found.Content.ReadExactlyAsync(content, cancellationToken).ConfigureAwait(false);
            var file = new CachedFile(key, found.Identity, content, found.ModifiedAt) { CheckedAt = asked };
            Keep(path, file);
            return file;
        }
    }

    private void Keep(string path, CachedFile file)
    {
        if (file.Cost > LargestKept)
        {
            Forget(path);
            return;
        }

        lock (_gate)
        {
            if (_files.TryGetValue(path, out var old)) _cost -= old.Cost;
            _files[path] = file;
            _cost += file.Cost;
            if (_cost > Capacity) Shrink();
        }
    }

    private void Forget(string path)
    {
        if (!_files.ContainsKey(path)) return;
        lock (_gate)
        {
            if (_files.TryRemove(path, out var old)) _cost -= old.Cost;
        }
    }

    /// <summary>Drops files that were not used since the last time, until a tenth is free; the second round drops used ones too.</summary>
    private void Shrink()
    {
        for (var round = 0; round < 2; round++)
        {
            foreach (var (path, file) in _files)
            {
                if (_cost <= Capacity * 9 / 10) return;
                if (!file.TakeUsed() && _files.TryRemove(path, out _)) _cost -= file.Cost;
            }
        }
    }
}
