using System.Buffers;
using Microsoft.AspNetCore.Http;
using Pipeline.Registry.Cdn;
using Pipeline.Registry.Options;
using Pipeline.Registry.Store;

namespace Pipeline.Api.Downloads;

/// <summary>
/// The short way of most downloads, in front of routing: a small file, known, whole and without conditions. Everything else is
/// <see cref="DownloadEndpoint"/>'s. The file is read anew each time and must be the one that was opened before, so that bytes which were replaced or
/// lost are never sent under an older answer of the database.
/// </summary>
public sealed class KnownDownloadMiddleware(RequestDelegate next, KnownDownloads known, IObjectStore store, RegistryOptions options, CdnOptions cdn)
{
    private const string Prefix = "/crates/";

    private readonly FolderStore? _folders = store.Folders;
    private readonly string _cacheControl = KnownDownloads.CacheControl(options);

    /// <summary>Answers what it can.</summary>
    public Task InvokeAsync(HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var request = context.Request;
        if (_folders is null || !request.Path.Value!.StartsWith(Prefix, StringComparison.Ordinal) || !HttpMethods.IsGet(request.Method) || IsConditional(request.Headers)) return next(context);
        var current = known.CatchUpAsync();
        return current.IsCompletedSuccessfully ? AnswerAsync(context) : AwaitAsync(context, current);
    }

    private async Task AwaitAsync(HttpContext context, ValueTask current)
    {
        await current.ConfigureAwait(false);
        await AnswerAsync(context).ConfigureAwait(false);
    }

    private Task AnswerAsync(HttpContext context)
    {
        if (!known.TryGet(context.Request.Path.Value!, out var file) || file.Small is not { } small) return next(context);
        var buffer = ArrayPool<byte>.Shared.Rent(Math.Max(1, small.Length));
        if (!_folders!.TryRead(file.Key, small.Identity, buffer.AsSpan(0, small.Length)))
        {
            ArrayPool<byte>.Shared.Return(buffer);
            return next(context);
        }

        context.SetEndpoint(small.Endpoint);
        Describe(context.Response.Headers, file, small);
        var written = context.Response.BodyWriter.WriteAsync(buffer.AsMemory(0, small.Length));
        // Not given back after an error: what happens to it then is not known.
        if (!written.IsCompletedSuccessfully) return AwaitAsync(written, buffer);
        ArrayPool<byte>.Shared.Return(buffer);
        return Task.CompletedTask;
    }

    private void Describe(IHeaderDictionary headers, KnownDownload file, SmallFile small)
    {
        if (cdn.NamesKeys) headers["Surrogate-Key"] = file.SurrogateKeys;
        headers.CacheControl = _cacheControl;
        headers.AcceptRanges = "bytes";
        headers.ETag = file.ETag;
        headers.LastModified = small.LastModified;
        headers.ContentType = "application/gzip";
        headers.ContentLength = small.Length;
    }

    private static async Task AwaitAsync(ValueTask<System.IO.Pipelines.FlushResult> written, byte[] buffer)
    {
        await written.ConfigureAwait(false);
        ArrayPool<byte>.Shared.Return(buffer);
    }

    private static bool IsConditional(IHeaderDictionary headers) =>
        headers.Range.Count > 0 || headers.IfNoneMatch.Count > 0 || headers.IfMatch.Count > 0 || headers.IfModifiedSince.Count > 0 || headers.IfUnmodifiedSince.Count > 0;
}
