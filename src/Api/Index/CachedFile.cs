using System.Globalization;
using System.IO.Compression;
using System.Security.Cryptography;
using Pipeline.Registry.Cdn;
using Pipeline.Registry.Store;

namespace Pipeline.Api.Index;

/// <summary>An index file in memory, with everything its answers need: bytes, their gzip form, and the headers that name them.</summary>
public sealed class CachedFile
{
    // Smaller files come out larger, or not worth a client's inflating.
    private const int LeastToZip = 256;

    // A file that was written just now may be written again within the second, which is all that Last-Modified can tell.
    private static readonly TimeSpan Settled = TimeSpan.FromSeconds(2);

    private readonly DateTimeOffset _modifiedAt;
    private readonly string _lastModified;
    private readonly Lazy<byte[]?> _zipped;
    private string? _surrogateKey;
    private bool _used = true;

    /// <summary>Takes a file's content.</summary>
    /// <param name="key">Its key in the store.</param>
    /// <param name="identity">The store's identity of this very content.</param>
    /// <param name="content">Its bytes.</param>
    /// <param name="modifiedAt">When it was written.</param>
    public CachedFile(string key, ObjectIdentity identity, byte[] content, DateTimeOffset modifiedAt)
    {
        (Key, Identity, Content) = (key, identity, content);
        // A strong ETag names these very bytes; another coding of them has another.
        var hash = Convert.ToHexStringLower(SHA256.HashData(content).AsSpan(0, 16));
        (ETag, ZippedETag) = ($"\"{hash}\"", $"\"{hash}-gzip\"");
        _modifiedAt = modifiedAt;
        _lastModified = modifiedAt.UtcDateTime.ToString("R", CultureInfo.InvariantCulture);
        _zipped = new Lazy<byte[]?>(Zip);
    }

    /// <summary>Its key in the store.</summary>
    public string Key { get; }

    /// <summary>What the store said of it: another answer means that it was rewritten.</summary>
    public ObjectIdentity Identity { get; }

    /// <summary>Whether the store could not say lately that it is unchanged.</summary>
    public bool IsDoubtful { get; set; }

    /// <summary>When it was last found unchanged, as the clock's timestamp.</summary>
    public long CheckedAt { get; set; }

    /// <summary>The key by which caches forget it.</summary>
    public string SurrogateKey => _surrogateKey ??= CacheKeys.OfIndex(Key);

    /// <summary>Its bytes.</summary>
    public byte[] Content { get; }

    /// <summary>Its bytes under gzip, made when they are first asked for; null: they would hardly be fewer.</summary>
    public byte[]? Zipped => _zipped.Value;

    /// <summary>The strong entity tag of <see cref="Content"/>.</summary>
    public string ETag { get; }

    /// <summary>The strong entity tag of <see cref="Zipped"/>.</summary>
    public string ZippedETag { get; }

    /// <summary>What it costs to keep, at most.</summary>
    public int Cost => (Content.Length * 3 / 2) + 1024;

    /// <summary>Marks it as used since the last look for files to drop.</summary>
    public void Use()
    {
        if (!_used) _used = true;
    }

    /// <summary>Whether it was used since this was asked last.</summary>
    public bool TakeUsed()
    {
        var used = _used;
        _used = false;
        return used;
    }

    /// <summary>The <c>Last-Modified</c> header; null while that could not tell this content from the next.</summary>
    public string? LastModified(DateTimeOffset now) => now - _modifiedAt >= Settled ? _lastModified : null;

    /// <summary>Whether it is unchanged since a time that came from <see cref="LastModified"/>.</summary>
    public bool IsUnchangedSince(DateTimeOffset time) => _modifiedAt.ToUnixTimeSeconds() <= time.ToUnixTimeSeconds();

    private byte[]? Zip()
    {
        if (Content.Length < LeastToZip) return null;
        using var buffer = new MemoryStream(Content.Length / 2);
        using (var gzip = new GZipStream(buffer, CompressionLevel.Optimal, leaveOpen: true)) gzip.Write(Content);
        return buffer.Length < Content.Length * 9L / 10 ? buffer.ToArray() : null;
    }
}
