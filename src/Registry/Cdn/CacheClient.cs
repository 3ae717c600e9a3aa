using System.Buffers;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Pipeline.Registry.Failures;

namespace Pipeline.Registry.Cdn;

/// <summary>What a fetch through a cache showed.</summary>
/// <param name="Status">The HTTP status.</param>
/// <param name="Sha256">The hash of its content; null: longer than expected, or not a success.</param>
public sealed record CacheLook(int Status, byte[]? Sha256);

/// <summary>
/// The one HTTP client towards caches and their APIs: connections are shared, every wait and every read is bounded, no redirect is followed.
/// Its errors name the target and the kind of trouble, never a header or a body.
/// </summary>
public sealed class CacheClient : IDisposable
{
    private const int MostAnswerBytes = 64 * 1024;
    private static readonly UriCreationOptions Raw = new() { DangerousDisablePathAndQueryCanonicalization = true };

    private readonly TimeProvider _clock;
    private readonly HttpMessageInvoker _http = new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        AutomaticDecompression = DecompressionMethods.None,
        ConnectTimeout = TimeSpan.FromSeconds(5),
        MaxConnectionsPerServer = 32,
        MaxResponseHeadersLength = 64,
        PooledConnectionLifetime = TimeSpan.FromMinutes(2),
        UseCookies = false,
    });

    /// <summary>A client.</summary>
    public CacheClient(TimeProvider clock) => _clock = clock;

    /// <summary>Sends one request and returns the answer.</summary>
    /// <exception cref="TransientException">The target does not answer in time, or the connection broke.</exception>
    public Task<CacheAnswer> SendAsync(CdnTarget target, ICachePurger purger, PurgeRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(purger);
        ArgumentNullException.ThrowIfNull(request);
        return BoundedAsync(
            target,
            async limit =>
            {
                using var message = Message(request.Method, request.Url, request.Host);
                if (request.Body is { } body)
                {
                    message.Content = new ByteArrayContent(body);
                    message.Content.Headers.TryAddWithoutValidation("Content-Type", request.ContentType);
                }

                foreach (var (name, value) in request.Headers.Concat(purger.Sign(request, _clock.GetUtcNow()))) message.Headers.TryAddWithoutValidation(name, value);
                using var response = await _http.SendAsync(message, limit).ConfigureAwait(false);
                return new CacheAnswer((int)response.StatusCode, Wait(response.Headers), await TextAsync(response, limit).ConfigureAwait(false));
            },
            cancellationToken);
    }

    /// <summary>Fetches a URL through the cache.</summary>
    /// <param name="target">The target, for its time-out.</param>
    /// <param name="url">The URL, exactly.</param>
    /// <param name="host">The host asked for, where it is not the URL's.</param>
    /// <param name="length">The length expected; longer contents are not read.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="TransientException">The cache does not answer in time, or the connection broke.</exception>
    public Task<CacheLook> LookAsync(CdnTarget target, string url, string? host, long length, CancellationToken cancellationToken) => BoundedAsync(
        target,
        async limit =>
        {
            using var message = Message("GET", url, host);
            message.Headers.TryAddWithoutValidation("Accept-Encoding", "identity");
            using var response = await _http.SendAsync(message, limit).ConfigureAwait(false);
            if (response.StatusCode != HttpStatusCode.OK) return new CacheLook((int)response.StatusCode, null);
            return new CacheLook(200, await HashAsync(response, length, limit).ConfigureAwait(false));
        },
        cancellationToken);

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    private static HttpRequestMessage Message(string method, string url, string? host)
    {
        var message = new HttpRequestMessage(new HttpMethod(method), new Uri(url, Raw));
        if (host is not null) message.Headers.Host = host;
        message.Headers.TryAddWithoutValidation("User-Agent", "pipeline-cdn");
        return message;
    }

    private static async Task<T> BoundedAsync<T>(CdnTarget target, Func<CancellationToken, Task<T>> send, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(TimeSpan.FromSeconds(target.TimeoutSeconds));
        try
        {
            return await send(limit.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new TransientException("cdn-away", $"the cache {target.Name} did not answer within {target.TimeoutSeconds.ToString(CultureInfo.InvariantCulture)} s", e);
        }
        catch (HttpRequestException e)
        {
            throw new TransientException("cdn-away", $"the cache {target.Name} cannot be reached ({e.HttpRequestError})", e);
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            // The bare socket's: a connection that was taken and reset before the client looked at it.
            throw new TransientException("cdn-away", $"the connection to the cache {target.Name} broke", e);
        }
    }

    /// <summary>When to come again: <c>Retry-After</c>, or Fastly's moment at which its limit starts anew.</summary>
    private TimeSpan? Wait(HttpResponseHeaders headers)
    {
        if (headers.RetryAfter is { } retry) return retry.Delta ?? (retry.Date is { } date ? Until(date) : null);
        return headers.TryGetValues("Fastly-RateLimit-Reset", out var values) && long.TryParse(values.First(), NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
            && seconds < 253_402_300_800
            ? Until(DateTimeOffset.FromUnixTimeSeconds(seconds))
            : null;
    }

    private TimeSpan Until(DateTimeOffset time) => time > _clock.GetUtcNow() ? time - _clock.GetUtcNow() : TimeSpan.Zero;

    private static async Task<string> TextAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(MostAnswerBytes);
        try
        {
            using var content = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
            var read = await content.ReadAtLeastAsync(buffer.AsMemory(0, MostAnswerBytes), MostAnswerBytes, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
            return Encoding.UTF8.GetString(buffer, 0, read);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static async Task<byte[]?> HashAsync(HttpResponseMessage response, long length, CancellationToken cancellationToken)
    {
        if (response.Content.Headers.ContentLength is { } said && said != length) return null;
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using var content = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        var buffer = ArrayPool<byte>.Shared.Rent(MostAnswerBytes);
        try
        {
            for (long total = 0; ;)
            {
                var read = await content.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
                if (read == 0) return hash.GetHashAndReset();
                if ((total += read) > length) return null;
                hash.AppendData(buffer, 0, read);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
