namespace Pipeline.Registry.Store;

/// <summary>
/// The bytes: staged uploads, crate files, records, sparse index files. Keys are paths with <c>/</c>; the first segment says which
/// (<see cref="StoreKeys"/>). What a call has answered is durable.
/// </summary>
public interface IObjectStore
{
    /// <summary>Writes an object of known length under a key that must be free.</summary>
    /// <returns>False: the key is taken; nothing was written.</returns>
    /// <exception cref="EndOfStreamException">The content ended before its length; nothing was kept.</exception>
    ValueTask<bool> CreateAsync(string key, Stream content, long length, CancellationToken cancellationToken = default);

    /// <summary>Writes an object, over an older one if there is one; readers see the old or the new, never a mixture.</summary>
    ValueTask PutAsync(string key, ReadOnlyMemory<byte> content, CancellationToken cancellationToken = default);

    /// <summary>Gives staged bytes their final key.</summary>
    /// <param name="stagingKey">Where they are; they stay there too.</param>
    /// <param name="key">The final key.</param>
    /// <param name="replace">Whether bytes that are there already are replaced: only by the holder of the version's reservation.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>False: the key is taken and <paramref name="replace"/> is not set.</returns>
    /// <exception cref="FileNotFoundException">The staged bytes are gone.</exception>
    ValueTask<bool> PromoteAsync(string stagingKey, string key, bool replace, CancellationToken cancellationToken = default);

    /// <summary>Opens an object for reading, or null when there is none.</summary>
    ValueTask<StoredObject?> OpenAsync(string key, CancellationToken cancellationToken = default);

    /// <summary>
    /// What tells an object's content from any other that was ever under its key, without reading it; null when there is none.
    /// A reader that keeps contents takes this before it opens the object: then it never keeps an old content under a new identity.
    /// </summary>
    async ValueTask<ObjectIdentity?> IdentifyAsync(string key, CancellationToken cancellationToken = default)
    {
        var found = await OpenAsync(key, cancellationToken).ConfigureAwait(false);
        if (found is null) return null;
        await using (found.ConfigureAwait(false)) return new ObjectIdentity(found.Length, found.ModifiedAt.UtcTicks, 0, 0);
    }

    /// <summary>Removes an object; none there is fine.</summary>
    ValueTask DeleteAsync(string key, CancellationToken cancellationToken = default);

    /// <summary>The objects whose keys start with a folder's name and <c>/</c>, in no order.</summary>
    IAsyncEnumerable<ObjectEntry> ListAsync(string folder, CancellationToken cancellationToken = default);
}

/// <summary>An open object.</summary>
/// <param name="Content">Its bytes, seekable; the caller disposes it.</param>
/// <param name="Length">How many they are.</param>
/// <param name="ModifiedAt">When it was written.</param>
public sealed record StoredObject(Stream Content, long Length, DateTimeOffset ModifiedAt) : IAsyncDisposable
{
    /// <inheritdoc/>
    public ValueTask DisposeAsync() => Content.DisposeAsync();
}

/// <summary>Tells contents of one key apart. Only equality means anything.</summary>
/// <param name="Length">Its bytes.</param>
/// <param name="ModifiedAt">When it was written, in the store's own unit.</param>
/// <param name="ChangedAt">When its entry was changed, in the store's own unit.</param>
/// <param name="Serial">The file's number, or the like.</param>
public readonly record struct ObjectIdentity(long Length, long ModifiedAt, long ChangedAt, ulong Serial);

/// <summary>One object of a listing.</summary>
/// <param name="Key">Its key.</param>
/// <param name="Length">Its bytes.</param>
/// <param name="ModifiedAt">When it was written.</param>
public sealed record ObjectEntry(string Key, long Length, DateTimeOffset ModifiedAt);
