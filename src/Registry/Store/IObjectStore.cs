namespace Pipeline.Registry.Store;

/// <summary>
/// The bytes: staged uploads, crate files, records, sparse index files. Keys are paths with <c>/</c>; the first segment says which
/// (<see cref="StoreKeys"/>). What a call has answered is durable, but for the three that say otherwise: what they wrote is there for every
/// reader at once, and survives a power cut once a <see cref="SyncAsync"/> has returned that began after them. A store that is away, slow or
/// refuses throws a <see cref="Failures.TransientException"/>.
/// </summary>
public interface IObjectStore
{
    /// <summary>Whether everything is durable as soon as it is written, and <see cref="SyncAsync"/> has nothing to do.</summary>
    bool IsDurableAtOnce => true;

    /// <summary>Makes everything durable that was written before the call. Calls that come together share one sync.</summary>
    /// <exception cref="Failures.TransientException">The disk failed: what was written since the last good sync must be written again, not only synced again.</exception>
    ValueTask SyncAsync(CancellationToken cancellationToken = default) => ValueTask.CompletedTask;

    /// <summary>Writes a small object under a key that must be free; durable with the next sync.</summary>
    /// <returns>False: the key is taken; nothing was written.</returns>
    async ValueTask<bool> CreateUnsyncedAsync(string key, ReadOnlyMemory<byte> content, CancellationToken cancellationToken = default)
    {
        using var stream = new MemoryStream(content.ToArray(), writable: false);
        return await CreateAsync(key, stream, content.Length, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Writes a small object, over an older one if there is one; durable with the next sync.</summary>
    ValueTask PutUnsyncedAsync(string key, ReadOnlyMemory<byte> content, CancellationToken cancellationToken = default) => PutAsync(key, content, cancellationToken);

    /// <summary>Writes an object of known length under a key that must be free.</summary>
    /// <returns>False: the key is taken; nothing was written.</returns>
    /// <exception cref="EndOfStreamException">The content ended before its length; nothing was kept.</exception>
    ValueTask<bool> CreateAsync(string key, Stream content, long length, CancellationToken cancellationToken = default);

    /// <summary>Writes an object, over an older one if there is one; readers see the old or the new, never a mixture.</summary>
    ValueTask PutAsync(string key, ReadOnlyMemory<byte> content, CancellationToken cancellationToken = default);

    /// <summary>
    /// Gives staged bytes their final key; durable with the next sync. They are hashed on the way; other bytes than those received are never
    /// there, not even for a moment.
    /// </summary>
    /// <param name="staged">Where they are, and what they must be; they stay there too.</param>
    /// <param name="key">The final key.</param>
    /// <param name="replace">Whether other bytes that are there already are replaced: only by the holder of the version's reservation.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>True: these bytes are at the key, put there now or earlier. False: other bytes are, and <paramref name="replace"/> is not set.</returns>
    /// <exception cref="FileNotFoundException">The staged bytes are gone.</exception>
    /// <exception cref="InvalidDataException">The staged bytes are not the ones received.</exception>
    ValueTask<bool> PromoteAsync(StagedBytes staged, string key, bool replace, CancellationToken cancellationToken = default);

    /// <summary>Opens an object for reading, or a range of it; null when there is no such object. A store may give the whole object instead of a range.</summary>
    ValueTask<StoredObject?> OpenAsync(string key, ByteRange? range, CancellationToken cancellationToken);

    /// <summary>What tells an object's content from any other that was ever under its key, without reading it; null when there is none.</summary>
    async ValueTask<ObjectIdentity?> IdentifyAsync(string key, CancellationToken cancellationToken = default)
    {
        var found = await OpenAsync(key, null, cancellationToken).ConfigureAwait(false);
        if (found is null) return null;
        await using (found.ConfigureAwait(false)) return found.Identity;
    }

    /// <summary>Whether an object is there and has this very content.</summary>
    async ValueTask<bool> HoldsAsync(string key, ReadOnlyMemory<byte> content, CancellationToken cancellationToken = default)
    {
        var found = await OpenAsync(key, null, cancellationToken).ConfigureAwait(false);
        if (found is null) return false;
        await using (found.ConfigureAwait(false))
        {
            if (found.Length != content.Length) return false;
            var bytes = new byte[content.Length];
            await found.Content.ReadExactlyAsync(bytes, cancellationToken).ConfigureAwait(false);
            return content.Span.SequenceEqual(bytes);
        }
    }

    /// <summary>Throws a <see cref="Failures.TransientException"/> unless the store can be used.</summary>
    ValueTask ProbeAsync(CancellationToken cancellationToken = default);

    /// <summary>Removes an object; none there is fine.</summary>
    ValueTask DeleteAsync(string key, CancellationToken cancellationToken = default);

    /// <summary>The store as folders of files, where it is one; null: there is nothing that could change places as a whole.</summary>
    FolderStore? Folders => null;

    /// <summary>The objects whose keys start with a folder's name and <c>/</c>, in no order. They may be deleted on the way.</summary>
    IAsyncEnumerable<ObjectEntry> ListAsync(string folder, CancellationToken cancellationToken = default);
}
