using Pipeline.Contracts;

namespace Pipeline.Registry.Bus.RabbitMq;

/// <summary>Where the broker is, taken apart so that the password stands in no address.</summary>
/// <param name="Endpoint">The broker without user and password.</param>
/// <param name="User">The user.</param>
/// <param name="Password">The password.</param>
/// <param name="UseTls">Whether the connection is encrypted.</param>
public sealed record RabbitMqAddress(Uri Endpoint, string User, Secret Password, bool UseTls)
{
    private const int PlainPort = 5672;
    private const int TlsPort = 5671;

    /// <summary>The virtual host.</summary>
    public string VirtualHost => Endpoint.AbsolutePath is "/" or "" ? "/" : Uri.UnescapeDataString(Endpoint.AbsolutePath[1..]);

    /// <summary>Takes an AMQP URL apart.</summary>
    /// <exception cref="InvalidOperationException">It is none; the text does not repeat it, since it holds a password.</exception>
    public static RabbitMqAddress Parse(Secret url)
    {
        ArgumentNullException.ThrowIfNull(url);
        if (!Uri.TryCreate(url.Reveal(), UriKind.Absolute, out var uri) || uri.Scheme is not ("amqp" or "amqps") || uri.Host.Length == 0)
            throw new InvalidOperationException("Bus:RabbitMq is no URL of the form amqp://user:password@host:port/vhost");
        var tls = uri.Scheme == "amqps";
        var (user, password) = uri.UserInfo.Split(':', 2) switch
        {
            [{ Length: > 0 } name, var secret] => (Uri.UnescapeDataString(name), Uri.UnescapeDataString(secret)),
            _ => throw new InvalidOperationException("Bus:RabbitMq names no user and password"),
        };
        var port = uri.Port > 0 ? uri.Port : tls ? TlsPort : PlainPort;
        return new RabbitMqAddress(new UriBuilder("rabbitmq", uri.Host, port, uri.AbsolutePath).Uri, user, new Secret(password), tls);
    }
}
