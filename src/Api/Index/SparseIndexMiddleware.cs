using System.Globalization;
using Microsoft.AspNetCore.Http;
using Pipeline.Registry.Cdn;
using Pipeline.Registry.Options;
using Pipeline.Registry.Truth;

namespace Pipeline.Api.Index;

/// <summary>
/// The sparse index (cargo-client-behaviour §3): by far the most requests, so it stands before routing and allocates next to nothing.
/// Answers may be kept but must be revalidated: cargo waits for a new line right after a publish. A missing file must not be kept at
/// all. What is served is what the renderer wrote; the database is not asked, so reading goes on when it is away.
/// </summary>
public sealed class SparseIndexMiddleware
{
    private const string Prefix = "/index/";
    private const string ConfigPath = "/index/config.json";
    private const string TextPlain = "text/plain";

    private static readonly byte[] NotFound = ApiErrors.Body("Not Found");

    private readonly RequestDelegate _next;
    private readonly IndexFileCache _files;
    private readonly TimeProvider _clock;
    private readonly CachedFile _config;
    private readonly string _cacheControl;
    private readonly string _revalidated;
    private readonly bool _namesKeys;

    /// <summary>The middleware.</summary>
    public SparseIndexMiddleware(RequestDelegate next, IndexFileCache files, RegistryOptions options, CdnOptions cdn, TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(cdn);
        ArgumentNullException.ThrowIfNull(clock);
        (_next, _files, _clock) = (next, files, clock);
        _config = new CachedFile(ConfigPath, default, IndexConfig.Render(options), clock.GetUtcNow());
        // A cache that is purged may keep a file; clients ask it every time all the same.
        _revalidated = options.AuthRequired ? "private, no-cache" : "public, no-cache";
        _cacheControl = options.AuthRequired || cdn.IndexSeconds == 0 ? _revalidated : string.Create(CultureInfo.InvariantCulture, $"public, max-age=0, s-maxage={cdn.IndexSeconds}");
        _namesKeys = cdn.NamesKeys;
    }

    /// <summary>Answers what lies below <c>/index/</c>.</summary>
    public Task InvokeAsync(HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var path = context.Request.Path.Value!;
        if (!path.StartsWith(Prefix, StringComparison.Ordinal)) return _next(context);
        if (!HttpMethods.IsGet(context.Request.Method) && !HttpMethods.IsHead(context.Request.Method))
        {
            context.Response.StatusCode = StatusCodes.Status405MethodNotAllowed;
            context.Response.Headers.Allow = "GET, HEAD";
            return Task.CompletedTask;
        }

        if (path == ConfigPath) return AnswerAsync(context, _config);
        // Nearly always it is there at once. The token that says that the client went away is made when it is asked for, so only who waits asks.
        var file = _files.FindAsync(path.AsSpan(Prefix.Length));
        return file.IsCompletedSuccessfully ? AnswerAsync(context, file.Result) : AwaitAsync(context, file);
    }

    private async Task AwaitAsync(HttpContext context, ValueTask<CachedFile?> file) =>
        await AnswerAsync(context, await file.AsTask().WaitAsync(context.RequestAborted).ConfigureAwait(false)).ConfigureAwait(false);

    private Task AnswerAsync(HttpContext context, CachedFile? file)
    {
        var (request, response) = (context.Request, context.Response);
        if (file is null) return AnswerMissingAsync(response);

        var headers = response.Headers;
        headers.CacheControl = file.IsDoubtful ? _revalidated : _cacheControl;
        headers.Vary = "accept-encoding";
        if (_namesKeys && file != _config) headers["Surrogate-Key"] = file.SurrogateKey;
        var zipped = Conditions.AcceptsGzip(request.Headers.AcceptEncoding) ? file.Zipped : null;
        if (IsUnchanged(request.Headers, file, zipped is not null) is { } tag)
        {
            headers.ETag = tag;
            response.StatusCode = StatusCodes.Status304NotModified;
            return Task.CompletedTask;
        }

        headers.ETag = zipped is null ? file.ETag : file.ZippedETag;
        if (zipped is not null) headers.ContentEncoding = "gzip";
        headers.LastModified = file.LastModified(_clock.GetUtcNow());
        headers.ContentType = TextPlain;
        var content = zipped ?? file.Content;
        headers.ContentLength = content.Length;
        if (HttpMethods.IsHead(request.Method)) return Task.CompletedTask;
        var written = response.BodyWriter.WriteAsync(content);
        return written.IsCompletedSuccessfully ? Task.CompletedTask : written.AsTask();
    }

    /// <summary>
    /// The tag of the form that the client has and may keep; null: it must be sent. A client that kept the other coding keeps what is
    /// as good, so its tag counts too. A tag beats a date (RFC 9110 §13.2.2).
    /// </summary>
    private static string? IsUnchanged(IHeaderDictionary headers, CachedFile file, bool zipped)
    {
        var tags = headers.IfNoneMatch;
        var (chosen, other) = zipped ? (file.ZippedETag, file.ETag) : (file.ETag, file.ZippedETag);
        if (tags.Count > 0) return Conditions.Lists(tags, chosen) ? chosen : Conditions.Lists(tags, other) ? other : null;
        return Conditions.Time(headers.IfModifiedSince) is { } time && file.IsUnchangedSince(time) ? chosen : null;
    }

    private static Task AnswerMissingAsync(HttpResponse response)
    {
        response.StatusCode = StatusCodes.Status404NotFound;
        response.Headers.CacheControl = "no-store";
        response.ContentType = "application/json";
        response.ContentLength = NotFound.Length;
        return response.Body.WriteAsync(NotFound).AsTask();
    }
}
