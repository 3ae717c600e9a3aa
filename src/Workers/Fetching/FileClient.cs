using System.Buffers;
using System.Globalization;
using System.Net;
using System.Security.Authentication;
using Pipeline.Registry.Options;
using Pipeline.Registry.Outbound;
using Pipeline.Registry.Upstreams;

namespace Pipeline.Workers.Fetching;

/// <summary>
/// The one HTTP client towards upstreams' files. It connects to public addresses, and to the hosts that the operator named for this upstream
/// (<see cref="OwnHosts"/>); it follows few redirects, only to http and https URLs; and it reads no more bytes and waits no longer than the options say.
/// </summary>
public sealed class FileClient : IDisposable
{
    private const int BufferBytes = 64 * 1024;

    private readonly MirrorOptions _options;
    private readonly Throttle _throttle;

    // Apart, so that no connection made for one upstream's own host serves another upstream's redirect.
    private readonly HttpMessageInvoker _own;
    private readonly HttpMessageInvoker _public;

    /// <summary>A client.</summary>
    /// <exception cref="InvalidOperationException">An option is out of its range.</exception>
    public FileClient(MirrorOptions options, TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Check();
        (_options, _throttle) = (options, new Throttle(options.BytesPerSecond, clock));
        var rules = new AddressRules(options.AllowedNetworks, "Mirror:AllowedNetworks");
        _own = new HttpMessageInvoker(Handler(options, null));
        // Through a proxy the addresses are the proxy's to check.
        _public = new HttpMessageInvoker(Handler(options, options.Proxy is null ? rules : null));
    }

    /// <summary>
    /// The hosts that an upstream's files may be at although their addresses are not public: that of its index, and that of its download URL
    /// where the operator gave one. An index that is a folder of this machine may have its files on this machine.
    /// </summary>
    public static IReadOnlyList<string> OwnHosts(Registry.Upstreams.Upstream upstream)
    {
        ArgumentNullException.ThrowIfNull(upstream);
        var hosts = new List<string>();
        var index = upstream.IsSparse ? upstream.IndexUrl[Registry.Upstreams.Upstream.SparsePrefix.Length..] : upstream.IndexUrl;
        if (Uri.TryCreate(index, UriKind.Absolute, out var url) && url.Scheme is "http" or "https") hosts.Add(url!.IdnHost);
        else hosts.AddRange(["localhost", "127.0.0.1", "::1"]);
        // Markers aside: they may stand in a host's name.
        if (upstream.DlUrl is { } dl && Uri.TryCreate(dl.Replace('{', '_').Replace('}', '_'), UriKind.Absolute, out var given)) hosts.Add(given.IdnHost);
        return hosts;
    }

    /// <summary>Fetches a file.</summary>
    /// <returns>Its bytes, which are those that its index line names and are the caller's to dispose; or why it cannot be had.</returns>
    internal async Task<(FetchedBytes? Bytes, FileTrouble? Trouble)> FetchAsync(WantedFile file, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(file);
        if (file.Upstream.DlTemplate is not { } template) return (null, new FileTrouble("upstream-unknown", "where the upstream's files are is not known: it has no `config.json` with a `dl`, and none was given", IsFinal: false));
        if (!Uri.TryCreate(DownloadUrl.Of(template, file.Name, file.Num, file.Checksum), UriKind.Absolute, out var url))
            return (null, new FileTrouble("upstream-unknown", "the upstream's `dl` gives no URL for this file", IsFinal: true));
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(TimeSpan.FromSeconds(_options.FileSeconds));
        using var silence = CancellationTokenSource.CreateLinkedTokenSource(limit.Token);
        try
        {
            return await FollowAsync(file, url, silence).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            var text = limit.IsCancellationRequested ? $"the file took more than {Seconds(_options.FileSeconds)} s" : $"the upstream said nothing for {Seconds(_options.IdleSeconds)} s";
            return (null, new FileTrouble("upstream-slow", text, IsFinal: false));
        }
        catch (HttpRequestException e) when (e.InnerException is ForbiddenAddressException forbidden)
        {
            return (null, new FileTrouble("forbidden-address", $"{forbidden.Message} (Mirror:AllowedNetworks)", IsFinal: true));
        }
        catch (HttpRequestException e)
        {
            var trouble = e.InnerException is AuthenticationException ? "its certificate is not trusted" : e.HttpRequestError.ToString();
            return (null, new FileTrouble("upstream-away", $"the upstream cannot be reached ({trouble})", IsFinal: false));
        }
        catch (IOException)
        {
            return (null, new FileTrouble("upstream-cut", "the connection broke within the file", IsFinal: false));
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _own.Dispose();
        _public.Dispose();
    }

    private async Task<(FetchedBytes? Bytes, FileTrouble? Trouble)> FollowAsync(WantedFile file, Uri url, CancellationTokenSource silence)
    {
        var own = OwnHosts(file.Upstream);
        for (var redirects = 0; ; redirects++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, url) { Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionOrLower };
            request.Headers.TryAddWithoutValidation("User-Agent", "pipeline-mirror");
            silence.CancelAfter(TimeSpan.FromSeconds(_options.IdleSeconds));
            var client = own.Contains(url.IdnHost.Trim('[', ']'), StringComparer.OrdinalIgnoreCase) ? _own : _public;
            using var response = await client.SendAsync(request, silence.Token).ConfigureAwait(false);
            var location = response.Headers.TryGetValues("Location", out var locations) ? locations.FirstOrDefault() : null;
            var step = FetchRules.Judge((int)response.StatusCode, location, url, redirects, response.Content.Headers.ContentLength, _options.MaxFileBytes);
            if (step.Trouble is { } trouble) return (null, trouble);
            if (step.Next is null) return await ReadAsync(file, response, silence).ConfigureAwait(false);
            url = step.Next;
        }
    }

    private async Task<(FetchedBytes? Bytes, FileTrouble? Trouble)> ReadAsync(WantedFile file, HttpResponseMessage response, CancellationTokenSource silence)
    {
        var bytes = new FetchedBytes();
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            await using var body = await response.Content.ReadAsStreamAsync(silence.Token).ConfigureAwait(false);
            FileTrouble? trouble = null;
            while (trouble is null)
            {
                silence.CancelAfter(TimeSpan.FromSeconds(_options.IdleSeconds));
                var read = await body.ReadAsync(buffer.AsMemory(0, BufferBytes), silence.Token).ConfigureAwait(false);
                if (read == 0)
                {
                    trouble = FetchRules.CheckBytes(file.Checksum, bytes.Finish(), bytes.Length);
                    break;
                }

                if (bytes.Length + read > _options.MaxFileBytes) trouble = FetchRules.TooLarge(_options.MaxFileBytes);
                else bytes.Add(buffer.AsSpan(0, read));
                // The wait for others is not the upstream's silence.
                silence.CancelAfter(Timeout.InfiniteTimeSpan);
                await _throttle.PassAsync(read, silence.Token).ConfigureAwait(false);
            }

            if (trouble is null) return (bytes, null);
            bytes.Dispose();
            return (null, trouble);
        }
        catch
        {
            bytes.Dispose();
            throw;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static SocketsHttpHandler Handler(MirrorOptions options, AddressRules? rules) => new()
    {
        AllowAutoRedirect = false,
        // The archive is gzip itself: what comes is what is hashed.
        AutomaticDecompression = DecompressionMethods.None,
        ConnectCallback = rules is null ? null : (context, cancellationToken) => CheckedConnect.ConnectAsync(context.DnsEndPoint, rules, cancellationToken),
        ConnectTimeout = TimeSpan.FromSeconds(options.IdleSeconds),
        MaxResponseHeadersLength = 64,
        MaxResponseDrainSize = BufferBytes,
        PooledConnectionLifetime = TimeSpan.FromMinutes(1),
        Proxy = options.Proxy is null ? null : new WebProxy(options.Proxy),
        UseCookies = false,
        UseProxy = options.Proxy is not null,
    };

    private static string Seconds(double seconds) => seconds.ToString(CultureInfo.InvariantCulture);
}
