using System.Buffers;
using System.Globalization;
using System.Net;
using System.Text;

namespace Pipeline.Workers.Manifests.Urls;

/// <summary>
/// Whether a host is one that the WHATWG URL standard's host parser takes. Hosts in ASCII are decided exactly. Of hosts in other scripts (UTS #46)
/// only the classes of characters are checked, not their direction or compatibility forms: some that a browser refuses pass, none that it takes fails.
/// </summary>
internal static class UrlHost
{
    private static readonly SearchValues<char> Forbidden = SearchValues.Create(
        "\u0000\u0001\u0002\u0003\u0004\u0005\u0006\u0007\u0008\u0009\u000A\u000B\u000C\u000D\u000E\u000F" +
        "\u0010\u0011\u0012\u0013\u0014\u0015\u0016\u0017\u0018\u0019\u001A\u001B\u001C\u001D\u001E\u001F #/:<>?@[\\]^|%\u007F");

    private static readonly SearchValues<char> Ipv6Characters = SearchValues.Create("0123456789abcdefABCDEF:.");

    /// <summary>Whether the host parser succeeds.</summary>
    public static bool IsValid(ReadOnlySpan<char> host)
    {
        if (host is ['[', ..])
            return host is [_, .. var address, ']'] && IsIpv6(address);

        var domain = PercentDecode(host);
        if (!Ascii.IsValid(domain) && !TryFold(domain, out domain))
            return false;
        return domain.Length > 0
            && !domain.AsSpan().ContainsAny(Forbidden)
            && HasValidPunycode(domain)
            && (!EndsInNumber(domain) || IsIpv4(domain));
    }

    private static string PercentDecode(ReadOnlySpan<char> host) =>
        // Bytes that are no UTF-8 become U+FFFD, which no host may contain.
        host.Contains('%') ? WebUtility.UrlDecode(host.ToString().Replace("+", "%2B", StringComparison.Ordinal)) : host.ToString();

    /// <summary>Drops and replaces what UTS #46 drops and replaces on the way to ASCII, as far as that can leave ASCII behind; false at a character no host may have.</summary>
    private static bool TryFold(string domain, out string folded)
    {
        var result = new StringBuilder(domain.Length);
        foreach (var c in domain.EnumerateRunes())
        {
            if (c.Value is 0x3002 or 0xFF61)
                result.Append('.');
            else if (c.Value is >= 0xFF01 and <= 0xFF5E)
                result.Append((char)(c.Value - 0xFF01 + '!'));
            else if (!IsIgnored(c))
                result.Append(c);
            if (!IsAllowed(c) && !IsIgnored(c))
            {
                folded = domain;
                return false;
            }
        }

        folded = result.ToString();
        return true;
    }

    private static bool IsIgnored(Rune c) =>
        c.Value is 0x00AD or 0x034F or 0x200B or 0x2060 or 0x2064 or 0xFEFF
            or (>= 0x180B and <= 0x180F) or (>= 0xFE00 and <= 0xFE0F) or (>= 0x1BCA0 and <= 0x1BCA3) or (>= 0xE0100 and <= 0xE01EF);

    private static bool IsAllowed(Rune c) => c.IsAscii || c.Value is 0x200C or 0x200D || (c.Value != 0xFFFD && Rune.GetUnicodeCategory(c) is not (
        UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse
        or UnicodeCategory.OtherNotAssigned or UnicodeCategory.SpaceSeparator or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator));

    private static bool HasValidPunycode(string domain)
    {
        foreach (var range in domain.AsSpan().Split('.'))
        {
            var label = domain.AsSpan()[range];
            // A label with both is not decoded before its compatibility forms are folded, which is not done here.
            if (label.StartsWith("xn--", StringComparison.OrdinalIgnoreCase) && Ascii.IsValid(label) && !Punycode.IsValid(label[4..], IsAllowed))
                return false;
        }

        return true;
    }

    /// <summary>Whether the last label reads as a number, which makes the whole host an IPv4 address, right or wrong.</summary>
    private static bool EndsInNumber(string domain)
    {
        var last = LastLabel(domain);
        return last.Length > 0 && (!last.ContainsAnyExceptInRange('0', '9') || TryReadNumber(last, out _));
    }

    private static ReadOnlySpan<char> LastLabel(ReadOnlySpan<char> domain)
    {
        if (domain.EndsWith('.'))
            domain = domain[..^1];
        return domain[(domain.LastIndexOf('.') + 1)..];
    }

    private static bool IsIpv4(ReadOnlySpan<char> domain)
    {
        if (domain.EndsWith('.'))
            domain = domain[..^1];
        if (domain.Count('.') > 3)
            return false;

        // All parts but the last are bytes; the last fills what is left of the four.
        var room = 1UL << 32;
        while (domain.IndexOf('.') is >= 0 and var dot)
        {
            if (!TryReadNumber(domain[..dot], out var part) || part > 255)
                return false;
            room >>= 8;
            domain = domain[(dot + 1)..];
        }

        return TryReadNumber(domain, out var rest) && rest < room;
    }

    /// <summary>Reads a number in C's notation: <c>0x</c> hexadecimal, leading <c>0</c> octal, else decimal. Too large reads as too large.</summary>
    private static bool TryReadNumber(ReadOnlySpan<char> text, out ulong number)
    {
        number = 0;
        if (text.IsEmpty)
            return false;

        var (radix, skip) = (10u, 0);
        if (text.StartsWith("0x", StringComparison.OrdinalIgnoreCase))
            (radix, skip) = (16, 2);
        else if (text.Length > 1 && text[0] == '0')
            (radix, skip) = (8, 1);

        foreach (var c in text[skip..])
        {
            if (!char.IsAsciiHexDigit(c))
                return false;
            var digit = (uint)Convert.ToInt32(c.ToString(), 16);
            if (digit >= radix)
                return false;
            number = Math.Min((number * radix) + digit, uint.MaxValue + 1UL);
        }

        return true;
    }

    private static bool IsIpv6(ReadOnlySpan<char> address) =>
        // The runtime also reads scopes, prefix lengths and brackets, which a URL does not have.
        address.Contains(':') && !address.ContainsAnyExcept(Ipv6Characters) && IPAddress.TryParse(address, out _);
}
