using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Pipeline.Tests.Services;

/// <summary>
/// The way to a server of the machine, or to several, whose turn it is one after the other. It can be cut: open connections break, and new
/// ones are refused until it is mended. It can be broken: then whoever comes is taken and dropped, and counted. And it can be slow.
/// </summary>
public sealed class Cable : IAsyncDisposable
{
    private readonly int[] _servers;
    private readonly ConcurrentDictionary<Socket, bool> _open = new();
    private Socket? _listener;
    private int _carried;
    private int _dropped;
    private int _slowed;
    private long _lagMilliseconds;
    private volatile bool _isBroken;

    private Cable(int[] servers, int port)
    {
        _servers = servers;
        Port = port;
    }

    /// <summary>Where it begins.</summary>
    public int Port { get; }

    /// <summary>How many connections were dropped because it was broken.</summary>
    public int Dropped => Volatile.Read(ref _dropped);

    /// <summary>How often something was kept waiting because it was slow.</summary>
    public int Slowed => Volatile.Read(ref _slowed);

    /// <summary>How long everything that is sent along it is kept, in each direction.</summary>
    public TimeSpan Lag
    {
        get => TimeSpan.FromMilliseconds(Interlocked.Read(ref _lagMilliseconds));
        set => Interlocked.Exchange(ref _lagMilliseconds, (long)value.TotalMilliseconds);
    }

    /// <summary>Lays one from any free port.</summary>
    public static Cable To(params int[] ports)
    {
        using var free = new TcpListener(IPAddress.Loopback, 0);
        free.Start();
        var port = ((IPEndPoint)free.LocalEndpoint).Port;
        free.Stop();
        return Between(port, ports);
    }

    /// <summary>Lays one from a port.</summary>
    public static Cable Between(int port, params int[] ports)
    {
        var cable = new Cable(ports, port);
        cable.Mend();
        return cable;
    }

    /// <summary>Breaks every connection and refuses new ones.</summary>
    public void Cut()
    {
        Interlocked.Exchange(ref _listener, null)?.Dispose();
        foreach (var socket in _open.Keys) socket.Close(0);
        _open.Clear();
    }

    /// <summary>Breaks every connection, and takes and drops new ones until it is told to heal.</summary>
    public void Break()
    {
        _isBroken = true;
        foreach (var socket in _open.Keys) socket.Close(0);
    }

    /// <summary>Carries again.</summary>
    public void Heal() => _isBroken = false;

    /// <summary>Takes connections again.</summary>
    public void Mend()
    {
        var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, Port));
        listener.Listen();
        _listener = listener;
        _ = AcceptAsync(listener);
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        Cut();
        return ValueTask.CompletedTask;
    }

    private async Task AcceptAsync(Socket listener)
    {
        try
        {
            while (true)
            {
                var client = await listener.AcceptAsync();
                if (!_isBroken) _ = CarryAsync(client);
                else
                {
                    Interlocked.Increment(ref _dropped);
                    client.Close(0);
                }
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Cut.
        }
    }

    private async Task CarryAsync(Socket client)
    {
        using var server = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        _open[client] = _open[server] = true;
        try
        {
            await server.ConnectAsync(IPAddress.Loopback, _servers[(uint)Interlocked.Increment(ref _carried) % _servers.Length]);
            await using var near = new NetworkStream(client, ownsSocket: true);
            await using var far = new NetworkStream(server);
            await Task.WhenAny(CopyAsync(near, far), CopyAsync(far, near));
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or IOException)
        {
            // Cut, or one end has gone: the other is told by the close.
        }
        finally
        {
            _open.TryRemove(client, out _);
            _open.TryRemove(server, out _);
            // Where no server was reached, nothing else tells the client.
            client.Dispose();
        }
    }

    private async Task CopyAsync(NetworkStream from, NetworkStream to)
    {
        var buffer = new byte[32 * 1024];
        while (await from.ReadAsync(buffer) is > 0 and var read)
        {
            if (Lag is { Ticks: > 0 } lag)
            {
                Interlocked.Increment(ref _slowed);
                await Task.Delay(lag);
            }

            await to.WriteAsync(buffer.AsMemory(0, read));
        }
    }
}
