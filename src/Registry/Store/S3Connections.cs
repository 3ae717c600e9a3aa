using System.Net.Sockets;
using Amazon.Runtime;

namespace Pipeline.Registry.Store;

/// <summary>The connections to an S3 server, one pool for the client's life.</summary>
internal sealed class S3Connections : HttpClientFactory, IDisposable
{
    // Less than servers keep an idle connection open: else a request is now and then written into a closing one.
    private static readonly TimeSpan KeepIdle = TimeSpan.FromSeconds(30);

    // A new address behind the endpoint's name is seen after this time.
    private static readonly TimeSpan KeepConnection = TimeSpan.FromMinutes(5);

    private readonly HttpClient _http;

    public S3Connections(TimeSpan timeout)
    {
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            ConnectTimeout = timeout,
            PooledConnectionIdleTimeout = KeepIdle,
            PooledConnectionLifetime = KeepConnection,
            ConnectCallback = (context, cancellationToken) => ConnectAsync(context, timeout, cancellationToken),
        };
        _http = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
    }

    public override HttpClient CreateHttpClient(IClientConfig clientConfig) => _http;

    public override bool UseSDKHttpClientCaching(IClientConfig clientConfig) => false;

    public override bool DisposeHttpClientsAfterUse(IClientConfig clientConfig) => false;

    public void Dispose() => _http.Dispose();

    private static async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, TimeSpan timeout, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp)
        {
            NoDelay = true,
            // Archives are read without await; nothing else would end such a read from a server that has stopped sending.
            ReceiveTimeout = (int)timeout.TotalMilliseconds,
        };
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
}
