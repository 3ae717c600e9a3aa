namespace Pipeline.Registry.Store;

/// <summary>An open object.</summary>
/// <param name="Content">The bytes asked for, once, forward; the caller disposes it. A store that is lost meanwhile shows as a <see cref="Failures.TransientException"/>.</param>
/// <param name="Length">How many bytes the whole object has.</param>
/// <param name="ModifiedAt">When it was written.</param>
/// <param name="Identity">What tells this very content from any other under the key.</param>
public sealed record StoredObject(Stream Content, long Length, DateTimeOffset ModifiedAt, ObjectIdentity Identity) : IAsyncDisposable
{
    /// <summary>Which byte of the object <see cref="Content"/> begins with.</summary>
    public long Offset { get; init; }

    /// <summary>How many bytes <see cref="Content"/> has: all, or those of the range; 0 when the range names none.</summary>
    public long Count { get; init; } = Length;

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => Content.DisposeAsync();
}

/// <summary>Tells contents of one key apart. Only equality means anything.</summary>
/// <param name="Length">Its bytes.</param>
/// <param name="ModifiedAt">When it was written, in the store's own unit.</param>
/// <param name="ChangedAt">When its entry was changed, in the store's own unit; or half of its tag.</param>
/// <param name="Serial">The file's number, or the other half.</param>
public readonly record struct ObjectIdentity(long Length, long ModifiedAt, long ChangedAt, ulong Serial);

/// <summary>One object of a listing.</summary>
/// <param name="Key">Its key.</param>
/// <param name="Length">Its bytes.</param>
/// <param name="ModifiedAt">When it was written.</param>
public sealed record ObjectEntry(string Key, long Length, DateTimeOffset ModifiedAt);
