using System.Net;
using System.Net.Sockets;

namespace Pipeline.Registry.Outbound;

/// <summary>
/// Connects where the rules allow: the name is resolved once, its addresses are checked, and those very addresses are connected to. A name that
/// resolves to something else a moment later gains nothing.
/// </summary>
public static class CheckedConnect
{
    /// <summary>For <see cref="SocketsHttpHandler.ConnectCallback"/>.</summary>
    /// <exception cref="ForbiddenAddressException">The host has no address that may be connected to.</exception>
    public static async ValueTask<Stream> ConnectAsync(DnsEndPoint endpoint, AddressRules rules, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(endpoint);
        ArgumentNullException.ThrowIfNull(rules);
        var addresses = IPAddress.TryParse(endpoint.Host, out var literal) ? [literal] : await Dns.GetHostAddressesAsync(endpoint.Host, cancellationToken).ConfigureAwait(false);
        var allowed = Array.FindAll(addresses, rules.Allow);
        if (allowed.Length == 0) throw new ForbiddenAddressException(endpoint.Host);
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(allowed, endpoint.Port, cancellationToken).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}

/// <summary>A host that users chose has no public address, nor one that is allowed.</summary>
/// <param name="host">The host.</param>
public sealed class ForbiddenAddressException(string host) : IOException($"{host} has no public address, and its own is not among the allowed ones");
