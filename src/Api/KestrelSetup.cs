using System.Text;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Pipeline.Api;

/// <summary>What the web server must be told for this API, whichever process hosts it.</summary>
public static class KestrelSetup
{
    private const long MaxSmallBody = 1024 * 1024;
    private const long MaxUnread = 64 * 1024;

    /// <summary>
    /// Sets the limits: slow bodies and heads end by the server's own rates, bodies are small but for a publish, which raises its own
    /// limit. Header bytes pass as Latin-1, so that a token that is not ASCII is answered with a sentence and not with a bare 400.
    /// </summary>
    public static void Apply(KestrelServerOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.AddServerHeader = false;
        options.RequestHeaderEncodingSelector = static _ => Encoding.Latin1;
        options.Limits.MaxRequestBodySize = MaxSmallBody;
        // What the server takes off the wire ahead of who reads it; for each connection, whoever it is.
        options.Limits.MaxRequestBufferSize = MaxUnread;
        options.Limits.MaxRequestHeadersTotalSize = 32 * 1024;
        options.Limits.MaxRequestHeaderCount = 100;
        options.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(15);
        options.Limits.MinRequestBodyDataRate = new MinDataRate(bytesPerSecond: 240, gracePeriod: TimeSpan.FromSeconds(10));
    }
}
