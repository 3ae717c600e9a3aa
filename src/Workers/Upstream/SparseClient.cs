using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using Pipeline.Registry.Options;
using Pipeline.Registry.Outbound;

namespace Pipeline.Workers.Upstream;

/// <summary>
/// Asks one sparse index for its files, over HTTP/2 where the server has it. Every answer is bounded in bytes, time and redirects. An operator
/// chose the index's host, so it may be anywhere; a host that the index sends us to must have a public address.
/// </summary>
public sealed class SparseClient : IDisposable
{
    private const int MostRedirects = 5;
    private const int MostMark = 500;
    private const int FirstBuffer = 16 << 10;

    private readonly Uri _root;
    private readonly TimeSpan _limit;
    private readonly HttpMessageInvoker _http;

    /// <summary>A client.</summary>
    /// <param name="root">The index's URL, which ends with a slash.</param>
    /// <param name="options">Its limits.</param>
    /// <param name="trust">Whether a certificate is trusted; null: as the system says.</param>
    public SparseClient(Uri root, UpstreamOptions options, RemoteCertificateValidationCallback? trust = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        (_root, _limit) = (root, TimeSpan.FromSeconds(options.SparseSeconds));
        var rules = new AddressRules([], "");
        _http = new HttpMessageInvoker(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.All,
            ConnectCallback = (context, cancellationToken) => ConnectAsync(context, rules, cancellationToken),
            ConnectTimeout = TimeSpan.FromSeconds(10),
            EnableMultipleHttp2Connections = true,
            MaxConnectionsPerServer = Math.Max(1, options.SparseParallel),
            MaxResponseDrainSize = 0,
            SslOptions = new SslClientAuthenticationOptions { RemoteCertificateValidationCallback = trust },
            UseCookies = false,
        });
    }

    /// <summary>Asks for one file.</summary>
    /// <param name="path">Its path below the root.</param>
    /// <param name="mark">What the server said of the state we have; null: the file is wanted whatever it is.</param>
    /// <param name="mostBytes">A larger file is not taken.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task<SparseAnswer> GetAsync(string path, FileMark? mark, int mostBytes, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(_limit);
        try
        {
            return await FollowAsync(new Uri(_root, path), mark, mostBytes, limit.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return Away(string.Create(CultureInfo.InvariantCulture, $"the file did not come within {_limit.TotalSeconds} s"));
        }
        catch (HttpRequestException e) when (e.InnerException is ForbiddenAddressException forbidden)
        {
            return Refused($"it is redirected to where we do not go: {forbidden.Message}");
        }
        catch (HttpRequestException e)
        {
            return Away($"the server cannot be reached ({e.HttpRequestError})");
        }
        catch (Exception e) when (e is IOException or InvalidDataException)
        {
            return Away("the connection broke within the file, or what came cannot be unpacked");
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    private async Task<SparseAnswer> FollowAsync(Uri url, FileMark? mark, int mostBytes, CancellationToken cancellationToken)
    {
        for (var hop = 0; hop <= MostRedirects; hop++)
        {
            using var request = Request(url, mark);
            using var response = await _http.SendAsync(request, cancellationToken).ConfigureAwait(false);
            if ((int)response.StatusCode is not (301 or 302 or 303 or 307 or 308)) return await ReadAsync(response, mark, mostBytes, cancellationToken).ConfigureAwait(false);
            if (response.Headers.Location is not { } location) return Refused("it is redirected to nowhere");
            var next = new Uri(url, location);
            if (!IsFollowed(url, next)) return Refused($"it is redirected to `{next.Scheme}`, or to a URL with a password");
            url = next;
        }

        return Refused($"it is redirected more than {MostRedirects} times");
    }

    private static async Task<SparseAnswer> ReadAsync(HttpResponseMessage response, FileMark? mark, int mostBytes, CancellationToken cancellationToken)
    {
        switch ((int)response.StatusCode)
        {
            case 200:
                return await ReadBodyAsync(response, mostBytes, cancellationToken).ConfigureAwait(false) is { } bytes ? new SparseAnswer.Found(bytes, MarkOf(response))
                    : new SparseAnswer.Failed(SparseAnswer.Failed.TooLarge, $"the file has more than {mostBytes} bytes");
            case 304 when mark is not null:
                return new SparseAnswer.Unchanged();
            case 404 or 410 or 451:
                return new SparseAnswer.Absent();
            case var status:
                var text = string.Create(CultureInfo.InvariantCulture, $"the server answered with status {status}");
                return status is 408 or 429 or >= 500 ? Away(text) : Refused(text);
        }
    }

    private static async Task<byte[]?> ReadBodyAsync(HttpResponseMessage response, int mostBytes, CancellationToken cancellationToken)
    {
        if (response.Content.Headers.ContentLength > mostBytes) return null;
        var body = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        await using (body.ConfigureAwait(false))
        {
            // Grown by what comes, not by what is said to come.
            using var bytes = new MemoryStream();
            var buffer = new byte[FirstBuffer];
            while (await body.ReadAsync(buffer, cancellationToken).ConfigureAwait(false) is > 0 and var read)
            {
                if (bytes.Length + read > mostBytes) return null;
                bytes.Write(buffer, 0, read);
            }

            return bytes.ToArray();
        }
    }

    private static HttpRequestMessage Request(Uri url, FileMark? mark)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, url) { Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionOrLower };
        request.Headers.TryAddWithoutValidation("User-Agent", "pipeline-mirror");
        request.Headers.TryAddWithoutValidation("cargo-protocol", "version=1");
        if (mark?.ETag is { } etag) request.Headers.TryAddWithoutValidation("If-None-Match", etag);
        if (mark?.Modified is { } modified) request.Headers.TryAddWithoutValidation("If-Modified-Since", modified);
        return request;
    }

    private static FileMark? MarkOf(HttpResponseMessage response)
    {
        var etag = response.Headers.NonValidated.TryGetValues("ETag", out var tags) ? Bounded(tags.ToString()) : null;
        var modified = response.Content.Headers.NonValidated.TryGetValues("Last-Modified", out var times) ? Bounded(times.ToString()) : null;
        return etag is null && modified is null ? null : new FileMark(etag, modified);
    }

    private static string? Bounded(string text) => text.Length is > 0 and <= MostMark && text.All(static character => character is >= ' ' and < (char)127) ? text : null;

    // What was asked for over TLS is not fetched without it.
    private static bool IsFollowed(Uri from, Uri to) => (to.Scheme == from.Scheme ? to.Scheme is "http" or "https" : to.Scheme == "https") && to.UserInfo.Length == 0;

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, AddressRules rules, CancellationToken cancellationToken)
    {
        // A connection to another host than the request's goes to the operator's proxy.
        var host = context.DnsEndPoint.Host;
        if (host != _root.IdnHost && host == context.InitialRequestMessage.RequestUri!.IdnHost)
            return await CheckedConnect.ConnectAsync(context.DnsEndPoint, rules, cancellationToken).ConfigureAwait(false);
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(context.DnsEndPoint, cancellationToken).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static SparseAnswer.Failed Away(string text) => new(SparseAnswer.Failed.Away, text);

    private static SparseAnswer.Failed Refused(string text) => new("file-refused", text);
}
