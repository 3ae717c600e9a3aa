namespace Pipeline.Registry.Store;

/// <summary>Reading objects whole.</summary>
public static class WholeObjects
{
    /// <summary>Opens an object for reading; null when there is none.</summary>
    public static ValueTask<StoredObject?> OpenAsync(this IObjectStore store, string key, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(store);
        return store.OpenAsync(key, null, cancellationToken);
    }
}
