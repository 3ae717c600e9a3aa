using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;
using Microsoft.Net.Http.Headers;
using Pipeline.Api.Http;
using Pipeline.Contracts;
using Pipeline.Registry.Cdn;
using Pipeline.Registry.Database;
using Pipeline.Registry.Failures;
using Pipeline.Registry.Options;
using Pipeline.Registry.Store;

namespace Pipeline.Api.Downloads;

/// <summary>
/// The .crate files (crates-io-behaviour §4.5): bytes that a version in force names, and no others, whole or in ranges. They never
/// change, so whoever keeps them need not ask again. A mirrored file that is not here is the upstream's to send. Never a <c>Content-Encoding</c>: cargo's client would unpack the archive.
/// </summary>
public sealed class DownloadEndpoint(IDatabase database, IObjectStore store, MirroredDownloads mirrored, KnownDownloads known, RegistryOptions options, CdnOptions cdn, ILogger<DownloadEndpoint> logger)
{
    private readonly string _cacheControl = KnownDownloads.CacheControl(options);

    /// <summary>Maps the endpoint.</summary>
    public static IEndpointRouteBuilder Map(IEndpointRouteBuilder routes)
    {
        routes.MapMethods(
                "/crates/{name}/{file}", [HttpMethods.Get, HttpMethods.Head],
                static (string name, string file, DownloadEndpoint endpoint, HttpContext context) => endpoint.ServeAsync(name, file, context))
            .WithSummary("A .crate file").Produces(StatusCodes.Status200OK, contentType: "application/gzip");
        return routes;
    }

    private async Task<IResult> ServeAsync(string name, string file, HttpContext context)
    {
        var served = FileName.TryRead(name, file, out var version) ? await FindAsync(name, version, context).ConfigureAwait(false) : null;
        if (served is null) return Missing(name, file, context.Response);
        if (served.Mirrored is { } away && served.Key is null) return await SendAwayAsync(away, context).ConfigureAwait(false);
        var (request, response) = (context.Request, context.Response);
        if (cdn.NamesKeys && served.Mirrored is null) response.Headers["Surrogate-Key"] = string.Join(' ', ObjectHeaders.Of(served.Key!).Tags);
        var tag = served.Checksum is { } checksum ? new EntityTagHeaderValue($"\"{checksum}\"") : null;
        var conditions = request.GetTypedHeaders();
        var asked = FileRequest.Read(request.Method, conditions, tag);
        if (asked.Status != StatusCodes.Status200OK) return Bare(response, tag, asked.Status);

        // Of a file whose headers alone are wanted, the first byte tells them all.
        var found = await store.OpenAsync(served.Key!, HttpMethods.IsHead(request.Method) ? new ByteRange(0, 0) : asked.Range, context.RequestAborted).ConfigureAwait(false);
        if (found is null) return await GoneAsync(served, name, file, context).ConfigureAwait(false);
        await using (found.ConfigureAwait(false))
        {
            if (served.Mirrored is { IsUseOld: true } used) await mirrored.UsedAsync(used).ConfigureAwait(false);
            if (FileRequest.IsUnchanged(conditions, found.ModifiedAt)) return Bare(response, tag, StatusCodes.Status304NotModified);
            served.Known?.Remember(found, context.GetEndpoint());
            await SendAsync(found, asked.Range, tag, context).ConfigureAwait(false);
            return Results.Empty;
        }
    }

    /// <summary>To the upstream, which is asked for the file so that the next download need not go there.</summary>
    private async Task<IResult> SendAwayAsync(MirroredDownload file, HttpContext context)
    {
        // It is kept nowhere: the next answer may be the file.
        context.Response.Headers.CacheControl = "no-store";
        if (HttpMethods.IsGet(context.Request.Method)) await mirrored.AskAsync(file).ConfigureAwait(false);
        return MirroredDownloads.UrlOf(file) is { } url
            ? Results.Redirect(url)
            : throw new TransientException("upstream-unknown", $"where `{file.Upstream.Name}` has its files is not known yet");
    }

    private async Task<IResult> GoneAsync(Served served, string name, string file, HttpContext context)
    {
        if (served.Mirrored is not { } away)
        {
            // Without the database nobody knows whether there is such a file: cargo takes a 404 for final.
            return served.Checksum is null ? throw new TransientException("database-away", "whether there is such a file is not known now") : Missing(name, file, context.Response);
        }

        await mirrored.LostAsync(away).ConfigureAwait(false);
        return await SendAwayAsync(away with { KeptKey = null }, context).ConfigureAwait(false);
    }

    private async Task SendAsync(StoredObject file, ByteRange? range, EntityTagHeaderValue? tag, HttpContext context)
    {
        var (response, headers) = (context.Response, context.Response.Headers);
        Describe(response, tag);
        headers.LastModified = file.ModifiedAt.UtcDateTime.ToString("R", CultureInfo.InvariantCulture);
        headers.ContentType = "application/gzip";
        var count = HttpMethods.IsHead(context.Request.Method) ? file.Length : file.Count;
        if (range is { } asked && asked.Within(file.Length) == (file.Offset, file.Count))
        {
            response.StatusCode = count == 0 ? StatusCodes.Status416RangeNotSatisfiable : StatusCodes.Status206PartialContent;
            headers.ContentRange = count == 0 ? $"bytes */{file.Length}" : $"bytes {file.Offset}-{file.Offset + count - 1}/{file.Length}";
        }

        headers.ContentLength = count;
        if (count > 0 && HttpMethods.IsGet(context.Request.Method)) await file.Content.CopyToAsync(response.Body, context.RequestAborted).ConfigureAwait(false);
    }

    private IResult Bare(HttpResponse response, EntityTagHeaderValue? tag, int status)
    {
        Describe(response, tag);
        return Results.StatusCode(status);
    }

    private void Describe(HttpResponse response, EntityTagHeaderValue? tag)
    {
        response.Headers.CacheControl = _cacheControl;
        response.Headers.AcceptRanges = "bytes";
        if (tag is not null) response.Headers.ETag = tag.ToString();
    }

    private static Refusal Missing(string name, string file, HttpResponse response)
    {
        // cargo takes this for final, and a cache that kept it would hide a later publish.
        response.Headers.CacheControl = "no-store";
        return new Refusal(new Reject(RejectCodes.NotFound, StatusCodes.Status404NotFound, $"there is no file `{file}` of crate `{name}`"));
    }

    private async ValueTask<Served?> FindAsync(string name, CrateVersion version, HttpContext context)
    {
        var path = context.Request.Path.Value!;
        await known.CatchUpAsync(context.RequestAborted).ConfigureAwait(false);
        if (known.TryGet(path, out var file)) return new Served(file.Key, file.Checksum, Known: file);
        var seen = known.Seen;
        try
        {
            var served = await database.ReadAsync(
                async sql => await FindAsync(sql, name, version).ConfigureAwait(false)
                    ?? (await MirroredDownloads.FindAsync(sql, name, version).ConfigureAwait(false) is { } away ? new Served(away.KeptKey, away.Checksum, away) : null),
                context.RequestAborted).ConfigureAwait(false);
            // A mirrored file comes and goes without a change of its crate, so it is asked for each time.
            return served is { Mirrored: null, Key: { } key, Checksum: { } checksum } ? served with { Known = known.Keep(seen, name, path, new KnownDownload(key, checksum)) } : served;
        }
        catch (TransientException e)
        {
            // Downloads go on while the database is away (design §8); until it is back, a file deleted lately may still be served.
            logger.LogInformation(e, "served by its name alone: {Crate} {Version}", name, version);
            return new Served(StoreKeys.Crate(name, version.Text), null);
        }
    }

    private static ValueTask<Served?> FindAsync(Statements sql, string name, CrateVersion version) => sql.FirstAsync(
        """
        SELECT v.object_key, v.checksum FROM crates c JOIN versions v ON v.crate_id = c.id
        WHERE c.namespace = '' AND c.source = 'local' AND c.served AND c.canonical = $1 AND c.name = $2 AND c.state = 'active'
            AND v.num_no_build = $3 AND v.num = $4 AND v.state = 'active' AND NOT v.freed
        """,
        static row => new Served(row.Text(0), row.Text(1)),
        CanonicalName.Of(name).Text, name, version.WithoutBuild, version.Text);

    /// <summary>A file that is served; without a key it is the upstream's to send.</summary>
    private sealed record Served(string? Key, string? Checksum, MirroredDownload? Mirrored = null, KnownDownload? Known = null);
}
