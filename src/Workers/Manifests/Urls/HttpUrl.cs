using System.Text;

namespace Pipeline.Workers.Manifests.Urls;

/// <summary>
/// Whether text is an http or https URL in the sense of the WHATWG URL standard, which is what crates.io asks of the links of a manifest.
/// <see cref="Uri"/> follows RFC 3986, which differs both ways: in slashes, in white space, in hosts that are numbers, in ports.
/// </summary>
/// <remarks>Only the authority of such a URL can be wrong: whatever stands in path, query or fragment is percent-encoded, not refused.</remarks>
internal static class HttpUrl
{
    /// <summary>Whether the URL parser succeeds.</summary>
    /// <param name="url">Text that begins with <c>http:</c> or <c>https:</c> in lower case.</param>
    public static bool IsValid(string url)
    {
        var text = WithoutLineBreaks(url).AsSpan().TrimEnd(Blanks);
        // Any number of slashes, of either kind, leads to the authority.
        var authority = text[(text.IndexOf(':') + 1)..].TrimStart("/\\");
        var end = authority.IndexOfAny("/\\?#");
        if (end >= 0)
            authority = authority[..end];

        var host = authority[(authority.LastIndexOf('@') + 1)..];
        var port = PortSeparator(host);
        if (port >= 0)
        {
            if (!IsPort(host[(port + 1)..]))
                return false;
            host = host[..port];
        }

        return UrlHost.IsValid(host);
    }

    /// <summary>Space and the C0 controls: dropped around a URL.</summary>
    private static ReadOnlySpan<char> Blanks =>
        "\u0000\u0001\u0002\u0003\u0004\u0005\u0006\u0007\u0008\u0009\u000A\u000B\u000C\u000D\u000E\u000F" +
        "\u0010\u0011\u0012\u0013\u0014\u0015\u0016\u0017\u0018\u0019\u001A\u001B\u001C\u001D\u001E\u001F ";

    /// <summary>Tabs and line breaks are dropped anywhere.</summary>
    private static string WithoutLineBreaks(string url)
    {
        if (url.AsSpan().IndexOfAny('\t', '\n', '\r') < 0)
            return url;
        var kept = new StringBuilder(url.Length);
        foreach (var c in url)
        {
            if (c is not ('\t' or '\n' or '\r'))
                kept.Append(c);
        }

        return kept.ToString();
    }

    /// <summary>The first colon outside brackets, or -1.</summary>
    private static int PortSeparator(ReadOnlySpan<char> host)
    {
        var insideBrackets = false;
        for (var i = 0; i < host.Length; i++)
        {
            if (host[i] == ':' && !insideBrackets)
                return i;
            insideBrackets = host[i] == '[' || (insideBrackets && host[i] != ']');
        }

        return -1;
    }

    private static bool IsPort(ReadOnlySpan<char> digits)
    {
        var port = 0;
        foreach (var c in digits)
        {
            if (!char.IsAsciiDigit(c))
                return false;
            port = (port * 10) + (c - '0');
            if (port > ushort.MaxValue)
                return false;
        }

        return true;
    }
}
