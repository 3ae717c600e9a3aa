using System.Buffers;
using System.IO.Compression;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Pipeline.Registry.Git;

namespace Pipeline.Api.Git;

/// <summary>The body of a fetch on its way to git: unpacked and bounded.</summary>
internal static class FetchRequestBody
{
    private const int BufferSize = 1 << 15;

    /// <summary>Whether the body comes in a form that is understood: plain, or gzip as git sends longer ones.</summary>
    public static bool IsUnderstood(HttpRequest request) => request.Headers.ContentEncoding.ToString() is "" or "identity" or "gzip" or "x-gzip";

    /// <summary>Hands the body to git and ends git's input.</summary>
    /// <exception cref="BadHttpRequestException">The body is too long, or is no gzip though it says so.</exception>
    public static async Task FeedAsync(HttpRequest request, GitChild git, long maxBytes, Action progress, CancellationToken cancellationToken)
    {
        if (request.HttpContext.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit) limit.MaxRequestBodySize = maxBytes;
        var packed = request.Headers.ContentEncoding.ToString() is "gzip" or "x-gzip";
        var body = packed ? new GZipStream(request.Body, CompressionMode.Decompress, leaveOpen: true) : request.Body;
        try
        {
            await CopyAsync(body, git.Input, maxBytes, progress, cancellationToken).ConfigureAwait(false);
        }
        catch (InvalidDataException e)
        {
            throw new BadHttpRequestException("the request body is not valid gzip", StatusCodes.Status400BadRequest, e);
        }
        finally
        {
            if (packed) await body.DisposeAsync().ConfigureAwait(false);
            git.CloseInput();
        }
    }

    private static async Task CopyAsync(Stream from, Stream to, long maxBytes, Action progress, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            var total = 0L;
            while (await from.ReadAsync(buffer, cancellationToken).ConfigureAwait(false) is var read and > 0)
            {
                total += read;
                if (total > maxBytes) throw new BadHttpRequestException("the request body is too long for a fetch", StatusCodes.Status413PayloadTooLarge);
                progress();
                if (!await GiveAsync(to, buffer.AsMemory(0, read), cancellationToken).ConfigureAwait(false)) return;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static async ValueTask<bool> GiveAsync(Stream git, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        try
        {
            await git.WriteAsync(bytes, cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (IOException)
        {
            // Git has answered without reading on, as it does when it refuses: the answer is on its output.
            return false;
        }
    }
}
