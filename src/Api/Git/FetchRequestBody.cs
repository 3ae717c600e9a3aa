using System.Buffers;
using System.IO.Compression;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Pipeline.Api.Http;
using Pipeline.Registry.Failures;
using Pipeline.Registry.Git;

namespace Pipeline.Api.Git;

/// <summary>
/// The body of a fetch: taken whole before the fetch has its turn, so that who sends it slowly holds up nobody, then unpacked and bounded on
/// its way to git.
/// </summary>
internal sealed class FetchRequestBody : IDisposable
{
    /// <summary>What all fetches together may hold of bodies that are longer than <see cref="Small"/>.</summary>
    public const long MostHeld = 64L << 20;

    private const int BufferSize = 1 << 15;

    /// <summary>So much every fetch may send: most name a few hundred commits.</summary>
    private const int Small = 1 << 16;

    // Not to pass bytes on but to keep them: nothing is read from it before all is written.
    private static readonly PipeOptions Kept = new(pauseWriterThreshold: 0, useSynchronizationContext: false);

    private readonly Pipe _bytes = new(Kept);
    private readonly ByteBudget _budget;
    private readonly bool _packed;
    private long _length;
    private long _held;

    private FetchRequestBody(HttpRequest request, ByteBudget budget)
    {
        _budget = budget;
        _packed = request.Headers.ContentEncoding.ToString() is "gzip" or "x-gzip";
    }

    /// <summary>Whether the body comes in a form that is understood: plain, or gzip as git sends longer ones.</summary>
    public static bool IsUnderstood(HttpRequest request) => request.Headers.ContentEncoding.ToString() is "" or "identity" or "gzip" or "x-gzip";

    /// <summary>Takes the body.</summary>
    /// <exception cref="BadHttpRequestException">It is too long.</exception>
    /// <exception cref="TransientException">There are too many long ones just now.</exception>
    public static async Task<FetchRequestBody> ReadAsync(HttpRequest request, long maxBytes, ByteBudget budget, Action progress, CancellationToken cancellationToken)
    {
        if (request.HttpContext.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit) limit.MaxRequestBodySize = maxBytes;
        var body = new FetchRequestBody(request, budget);
        try
        {
            while (await request.Body.ReadAsync(body._bytes.Writer.GetMemory(BufferSize), cancellationToken).ConfigureAwait(false) is var read and > 0)
            {
                progress();
                body._bytes.Writer.Advance(read);
                await body._bytes.Writer.FlushAsync(CancellationToken.None).ConfigureAwait(false);
                body.Hold(read, maxBytes);
            }

            await body._bytes.Writer.CompleteAsync().ConfigureAwait(false);
            return body;
        }
        catch
        {
            body.Dispose();
            throw;
        }
    }

    /// <summary>Hands the body to git and ends git's input.</summary>
    /// <exception cref="BadHttpRequestException">It unpacks to too much, or is no gzip though it says so.</exception>
    public async Task FeedAsync(GitChild git, long maxBytes, Action progress, CancellationToken cancellationToken)
    {
        var plain = _bytes.Reader.AsStream(leaveOpen: true);
        var body = _packed ? new GZipStream(plain, CompressionMode.Decompress, leaveOpen: true) : plain;
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
            if (_packed) await body.DisposeAsync().ConfigureAwait(false);
            git.CloseInput();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _bytes.Writer.Complete();
        _bytes.Reader.Complete();
        _budget.Return(Interlocked.Exchange(ref _held, 0));
    }

    private static BadHttpRequestException TooLong() => new("the request body is too long for a fetch", StatusCodes.Status413PayloadTooLarge);

    private static async Task CopyAsync(Stream from, Stream to, long maxBytes, Action progress, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            var total = 0L;
            while (await from.ReadAsync(buffer, cancellationToken).ConfigureAwait(false) is var read and > 0)
            {
                total += read;
                if (total > maxBytes) throw TooLong();
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

    private void Hold(int read, long maxBytes)
    {
        _length += read;
        if (_length > maxBytes) throw TooLong();
        if (_length <= Small) return;
        if (!_budget.TryTake(read)) throw new TransientException("fetches-full", "there are too many long fetch requests just now");
        _held += read;
    }
}
