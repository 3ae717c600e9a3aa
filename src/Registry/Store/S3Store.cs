using System.Globalization;
using System.Net;
using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;
using Checksum = Pipeline.Contracts.Checksum;

namespace Pipeline.Registry.Store;

/// <summary>
/// Objects on an S3 server, staging in a bucket of its own. A final crate file is one create-only PutObject of bytes that were hashed
/// again before; every body is signed with its SHA-256, so the server refuses bytes that changed on the way.
/// </summary>
public sealed class S3Store : IObjectStore, IDisposable
{
    // Ours, so that what is there can be compared without reading it. An ETag is no checksum: not with encryption, not with several parts.
    private const string ChecksumMetadata = "sha256";

    private readonly S3Options _options;
    private readonly S3Connections _connections;
    private readonly AmazonS3Client _client;
    private readonly S3Calls _calls;
    private readonly string _temporary;

    /// <summary>Makes the client; nothing is sent yet.</summary>
    /// <exception cref="InvalidOperationException">An option does not hold.</exception>
    public S3Store(S3Options options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Check();
        _options = options;
        _connections = new S3Connections(options.Timeout);
        _client = S3Client.Create(options, _connections);
        _calls = new S3Calls(options);
        _temporary = options.TemporaryFolder ?? Path.GetTempPath();
    }

    /// <inheritdoc/>
    public async ValueTask<bool> CreateAsync(string key, Stream content, long length, CancellationToken cancellationToken = default)
    {
        // Staged bytes are read by nobody but us: they may go in signed chunks (see Spool), straight from the client, and need no file.
        if (length > Spool.LargestInMemory && IsStaged(key)) return await StreamAsync(key, content, length, cancellationToken).ConfigureAwait(false);
        using var spool = await Spool.ReadAsync(content, length, _temporary, cancellationToken).ConfigureAwait(false);
        return await WriteAsync(key, spool, Condition.Free, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask<bool> CreateUnsyncedAsync(string key, ReadOnlyMemory<byte> content, CancellationToken cancellationToken = default)
    {
        using var spool = Spool.Of(content);
        return await WriteAsync(key, spool, Condition.Free, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask PutAsync(string key, ReadOnlyMemory<byte> content, CancellationToken cancellationToken = default)
    {
        using var spool = Spool.Of(content);
        await WriteAsync(key, spool, Condition.None, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask<bool> PromoteAsync(StagedBytes staged, string key, bool replace, CancellationToken cancellationToken = default)
    {
        using var spool = staged.Content is { } content ? Parked(staged, content) : await CollectAsync(staged, cancellationToken).ConfigureAwait(false);
        return await WriteAsync(key, spool, replace ? Condition.None : Condition.FreeOrSame, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public ValueTask<StoredObject?> OpenAsync(string key, ByteRange? range, CancellationToken cancellationToken) =>
        _calls.TryAsync($"get {key}", (_, cancel) => GetAsync(key, range, cancel), 0, cancellationToken);

    /// <inheritdoc/>
    public async ValueTask<ObjectIdentity?> IdentifyAsync(string key, CancellationToken cancellationToken = default) =>
        await HeadAsync(key, cancellationToken).ConfigureAwait(false) is { } head ? IdentityOf(head.ETag, head.ContentLength, head.LastModified) : null;

    /// <inheritdoc/>
    public async ValueTask<bool> HoldsAsync(string key, ReadOnlyMemory<byte> content, CancellationToken cancellationToken = default)
    {
        using var spool = Spool.Of(content);
        return await _calls.TryAsync($"head {key}", (_, cancel) => HoldsAsync(key, spool, cancel), content.Length, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask ProbeAsync(CancellationToken cancellationToken = default)
    {
        // A GET tells a missing bucket from a missing object, and wrong keys from right ones; a HEAD has no body to tell it in.
        foreach (var key in new[] { $"{StoreKeys.Index}/probe", $"{StoreKeys.Staging}/probe" })
        {
            var found = await OpenAsync(key, new ByteRange(0, 0), cancellationToken).ConfigureAwait(false);
            if (found is not null) await found.DisposeAsync().ConfigureAwait(false);
        }
    }

    /// <inheritdoc/>
    public async ValueTask DeleteAsync(string key, CancellationToken cancellationToken = default) => await _calls.TryAsync(
        $"delete {key}",
        async (_, cancel) =>
        {
            try
            {
                return await _client.DeleteObjectAsync(new DeleteObjectRequest { BucketName = BucketOf(key), Key = key }, cancel).ConfigureAwait(false);
            }
            catch (AmazonS3Exception e) when (S3Calls.IsMissing(e))
            {
                return null;
            }
        },
        0, cancellationToken).ConfigureAwait(false);

    /// <inheritdoc/>
    public async IAsyncEnumerable<ObjectEntry> ListAsync(string folder, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var prefix = folder + "/";
        string? next = null;
        do
        {
            var request = new ListObjectsV2Request { BucketName = BucketOf(prefix), Prefix = prefix, ContinuationToken = next };
            var page = await _calls.TryAsync($"list {prefix}", (_, cancel) => _client.ListObjectsV2Async(request, cancel), 0, cancellationToken).ConfigureAwait(false);
            foreach (var entry in page.S3Objects ?? []) yield return new ObjectEntry(entry.Key, entry.Size ?? 0, Utc(entry.LastModified));
            next = page.IsTruncated == true ? page.NextContinuationToken : null;
        }
        while (next is not null);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _client.Dispose();
        _connections.Dispose();
    }

    private static bool IsStaged(string key) => key.StartsWith(StoreKeys.Staging + "/", StringComparison.Ordinal);

    private string BucketOf(string key) => IsStaged(key) ? _options.StagingBucket! : _options.Bucket!;

    private async ValueTask<bool> WriteAsync(string key, Spool content, Condition condition, CancellationToken cancellationToken) => await _calls.TryAsync(
        $"put {key}",
        async (tries, cancel) =>
        {
            // What became of an earlier try is not known: it may be there although the answer was a failure or none.
            if (tries > 1 && await HoldsAsync(key, content, cancel).ConfigureAwait(false)) return true;
            try
            {
                var request = Request(key, content.Open(), content.Length, condition, content.Checksum);
                await _client.PutObjectAsync(request, cancel).ConfigureAwait(false);
                return true;
            }
            catch (AmazonS3Exception e) when (e.StatusCode == HttpStatusCode.PreconditionFailed)
            {
                return (condition == Condition.FreeOrSame || tries > 1) && await HoldsAsync(key, content, cancel).ConfigureAwait(false);
            }
        },
        content.Length, cancellationToken).ConfigureAwait(false);

    /// <summary>Sends what cannot be sent twice.</summary>
    private async ValueTask<bool> StreamAsync(string key, Stream content, long length, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var upload = new S3UploadStream(content, length, patience, _options.Timeout);
        patience.CancelAfter(_options.Timeout);
        try
        {
            var request = Request(key, upload, length, Condition.Free, null);
            request.UseChunkEncoding = true;
            await _client.PutObjectAsync(request, patience.Token).ConfigureAwait(false);
            return true;
        }
        catch (AmazonS3Exception e) when (e.StatusCode == HttpStatusCode.PreconditionFailed)
        {
            return false;
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            if (upload.Failure is { } fault) ExceptionDispatchInfo.Throw(fault);
            if (S3Calls.Translate(e, $"put {key}") is { } failure) throw failure;
            throw;
        }
    }

    private PutObjectRequest Request(string key, Stream content, long length, Condition condition, Checksum? checksum)
    {
        var headers = ObjectHeaders.Of(key, _options.IndexCacheControl);
        var request = new PutObjectRequest
        {
            BucketName = BucketOf(key),
            Key = key,
            InputStream = content,
            AutoCloseStream = false,
            UseChunkEncoding = false,
            ContentType = headers.ContentType,
            IfNoneMatch = condition == Condition.None ? null : "*",
        };
        request.Headers.ContentLength = length;
        if (headers.CacheControl is not null) request.Headers.CacheControl = headers.CacheControl;
        if (checksum is { } sum) request.Metadata[ChecksumMetadata] = sum.ToString();
        if (headers.Tags.Count == 0) return request;
        if (_options.CacheTags) request.Metadata["cache-tags"] = string.Join(',', headers.Tags);
        if (_options.SurrogateKeys) request.Metadata["surrogate-key"] = string.Join(' ', headers.Tags);
        return request;
    }

    /// <summary>Whether an object has a content. One that was put there by other means has no checksum beside it and is read.</summary>
    private async Task<bool> HoldsAsync(string key, Spool content, CancellationToken cancellationToken)
    {
        if (await GetMetadataAsync(key, cancellationToken).ConfigureAwait(false) is not { } head || head.ContentLength != content.Length) return false;
        if (head.Metadata[ChecksumMetadata] is { } known) return known == content.Checksum.ToString();
        if (await GetAsync(key, null, cancellationToken).ConfigureAwait(false) is not { } found) return false;
        await using (found.ConfigureAwait(false))
        {
            using var there = await Spool.ReadAsync(found.Content, found.Length, _temporary, cancellationToken).ConfigureAwait(false);
            return there.Checksum == content.Checksum;
        }
    }

    private static Spool Parked(StagedBytes staged, ReadOnlyMemory<byte> content)
    {
        var spool = Spool.Of(content);
        return spool.Length == staged.Length && spool.Checksum == staged.Checksum ? spool : throw new InvalidDataException("the parked bytes are not the ones received");
    }

    private async Task<Spool> CollectAsync(StagedBytes staged, CancellationToken cancellationToken) =>
        await _calls.TryAsync($"get {staged.Key}", (_, cancel) => TryCollectAsync(staged, cancel), staged.Length, cancellationToken).ConfigureAwait(false)
            ?? throw new FileNotFoundException($"no object {staged.Key}");

    private async Task<Spool?> TryCollectAsync(StagedBytes staged, CancellationToken cancellationToken)
    {
        if (await GetAsync(staged.Key, null, cancellationToken).ConfigureAwait(false) is not { } found) return null;
        await using (found.ConfigureAwait(false))
        {
            var spool = found.Length == staged.Length ? await Spool.ReadAsync(found.Content, found.Length, _temporary, cancellationToken).ConfigureAwait(false) : null;
            if (spool?.Checksum == staged.Checksum) return spool;
            spool?.Dispose();
            throw new InvalidDataException($"the bytes at {staged.Key} are not the ones received");
        }
    }

    private async Task<StoredObject?> GetAsync(string key, ByteRange? range, CancellationToken cancellationToken)
    {
        // Servers disagree about the last 0 bytes.
        if (range?.Within(long.MaxValue).Count == 0) return await GetNothingAsync(key, cancellationToken).ConfigureAwait(false);
        var request = new GetObjectRequest { BucketName = BucketOf(key), Key = key };
        if (range is { } part) request.ByteRange = new Amazon.S3.Model.ByteRange(part.ToString());
        try
        {
            return await ReadAsync(key, await _client.GetObjectAsync(request, cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
        }
        catch (AmazonS3Exception e) when (S3Calls.IsMissing(e))
        {
            return null;
        }
        catch (AmazonS3Exception e) when (e.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable)
        {
            return await GetNothingAsync(key, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>An object of which no byte was asked for.</summary>
    private async Task<StoredObject?> GetNothingAsync(string key, CancellationToken cancellationToken) =>
        await GetMetadataAsync(key, cancellationToken).ConfigureAwait(false) is not { } head ? null
            : new StoredObject(Stream.Null, head.ContentLength, Utc(head.LastModified), IdentityOf(head.ETag, head.ContentLength, head.LastModified)) { Offset = head.ContentLength, Count = 0 };

    private async Task<StoredObject> ReadAsync(string key, GetObjectResponse answer, CancellationToken cancellationToken)
    {
        var count = answer.ContentLength;
        var (offset, length) = PartOf(answer.ContentRange) ?? (0, count);
        Stream content = new S3ReadStream(answer, _options.Timeout, $"get {key}");
        if (count <= Spool.LargestInMemory)
        {
            // Read at once: a connection that breaks in the middle is tried again, and the reader never waits for the network.
            await using (content.ConfigureAwait(false))
            {
                var bytes = new byte[count];
                await content.ReadExactlyAsync(bytes, cancellationToken).ConfigureAwait(false);
                content = new MemoryStream(bytes, writable: false);
            }
        }

        return new StoredObject(content, length, Utc(answer.LastModified), IdentityOf(answer.ETag, length, answer.LastModified)) { Offset = offset, Count = count };
    }

    private ValueTask<GetObjectMetadataResponse?> HeadAsync(string key, CancellationToken cancellationToken) =>
        _calls.TryAsync($"head {key}", (_, cancel) => GetMetadataAsync(key, cancel), 0, cancellationToken);

    private async Task<GetObjectMetadataResponse?> GetMetadataAsync(string key, CancellationToken cancellationToken)
    {
        try
        {
            return await _client.GetObjectMetadataAsync(new GetObjectMetadataRequest { BucketName = BucketOf(key), Key = key }, cancellationToken).ConfigureAwait(false);
        }
        catch (AmazonS3Exception e) when (S3Calls.IsMissing(e))
        {
            return null;
        }
    }

    /// <summary>Where a part begins and how long the whole is: of <c>bytes 10-19/5000</c>.</summary>
    private static (long Offset, long Length)? PartOf(string? contentRange)
    {
        if (string.IsNullOrEmpty(contentRange)) return null;
        var (blank, dash, slash) = (contentRange.IndexOf(' '), contentRange.IndexOf('-'), contentRange.IndexOf('/'));
        return blank < 0 || dash < blank || slash < dash ? throw new AmazonClientException("a Content-Range that is none")
            : (long.Parse(contentRange.AsSpan((blank + 1)..dash), CultureInfo.InvariantCulture), long.Parse(contentRange.AsSpan(slash + 1), CultureInfo.InvariantCulture));
    }

    /// <summary>The tag is the MD5 of the content, or something else that changes with it; its SHA-256 makes it fit.</summary>
    private static ObjectIdentity IdentityOf(string tag, long length, DateTime? modifiedAt)
    {
        var hash = Checksum.OfContent(System.Text.Encoding.UTF8.GetBytes(tag)).ToBytes();
        return new ObjectIdentity(length, Utc(modifiedAt).UtcTicks, BitConverter.ToInt64(hash, 0), BitConverter.ToUInt64(hash, 8));
    }

    private static DateTimeOffset Utc(DateTime? time) => time is { } known ? new DateTimeOffset(known.ToUniversalTime()) : DateTimeOffset.UnixEpoch;

    /// <summary>What a write asks of its key.</summary>
    private enum Condition
    {
        /// <summary>Nothing: what is there is replaced.</summary>
        None,

        /// <summary>It is free.</summary>
        Free,

        /// <summary>It is free, or has the same content already.</summary>
        FreeOrSame,
    }
}
