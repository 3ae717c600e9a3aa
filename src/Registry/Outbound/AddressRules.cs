using System.Net;

namespace Pipeline.Registry.Outbound;

/// <summary>
/// Which addresses may be connected to where users choose the host (design §8): public ones, so that nobody reaches services of our own network
/// through us, and networks that the operator allows.
/// </summary>
public sealed class AddressRules
{
    // The registries of special purpose addresses, RFC 6890 with its updates; multicast and the reserved rest.
    private static readonly IPNetwork[] NotPublic =
    [
        .. new[]
        {
            "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24",
            "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3",
            "2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20",
        }.Select(static text => IPNetwork.Parse(text)),
    ];

    // All of IPv6 that is given out; the rest is local, mapped, or carries an IPv4 address that would have to be looked at too.
    private static readonly IPNetwork Global = IPNetwork.Parse("2000::/3");

    private readonly IReadOnlyList<IPNetwork> _allowed;

    /// <summary>The rules with what the operator allows.</summary>
    /// <param name="allowed">Networks as <c>10.0.0.0/8</c>.</param>
    /// <param name="key">The configuration key they come from, for the error.</param>
    /// <exception cref="InvalidOperationException">One of them is none.</exception>
    public AddressRules(IEnumerable<string> allowed, string key) => _allowed =
        [.. allowed.Select(text => IPNetwork.TryParse(text, out var network) ? network : throw new InvalidOperationException($"{key}: {text} is no network such as 10.0.0.0/8"))];

    /// <summary>Whether an address may be connected to.</summary>
    public bool Allow(IPAddress address)
    {
        ArgumentNullException.ThrowIfNull(address);
        var plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        if (_allowed.Any(network => network.Contains(plain))) return true;
        var isGivenOut = plain.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork || Global.Contains(plain);
        return isGivenOut && !NotPublic.Any(network => network.Contains(plain));
    }
}
