using System.Globalization;
using Microsoft.Extensions.Primitives;

namespace Pipeline.Api.Index;

/// <summary>The request headers that decide between a body, its gzip form, and no body at all (RFC 9110 §12.5.3, §13.1).</summary>
public static class Conditions
{
    /// <summary>Whether <c>Accept-Encoding</c> takes gzip.</summary>
    public static bool AcceptsGzip(StringValues acceptEncoding)
    {
        foreach (var line in acceptEncoding)
        {
            foreach (var part in line.AsSpan().Split(','))
            {
                if (IsGzip(line.AsSpan(part))) return true;
            }
        }

        return false;
    }

    /// <summary>Whether <c>If-None-Match</c> lists a tag. The comparison is weak, as a proxy may have weakened the tag on its way.</summary>
    public static bool Lists(StringValues ifNoneMatch, string etag)
    {
        foreach (var line in ifNoneMatch)
        {
            if (line == etag) return true;
            foreach (var part in line.AsSpan().Split(','))
            {
                var tag = line.AsSpan(part).Trim();
                if (tag.StartsWith("W/", StringComparison.Ordinal)) tag = tag[2..];
                if (tag.SequenceEqual(etag) || tag is "*") return true;
            }
        }

        return false;
    }

    /// <summary>The time of an <c>If-Modified-Since</c> header; null: none, or not a date.</summary>
    public static DateTimeOffset? Time(StringValues ifModifiedSince) =>
        ifModifiedSince.Count == 1
        && DateTimeOffset.TryParseExact(ifModifiedSince[0], "R", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time : null;

    private static bool IsGzip(ReadOnlySpan<char> coding)
    {
        var semicolon = coding.IndexOf(';');
        var name = (semicolon < 0 ? coding : coding[..semicolon]).Trim();
        if (!name.Equals("gzip", StringComparison.OrdinalIgnoreCase)) return false;
        if (semicolon < 0) return true;
        var weight = coding[(semicolon + 1)..].Trim();
        // A weight of zero is a no; anything that is not a weight is not understood, and so a no as well.
        return weight.StartsWith("q=", StringComparison.OrdinalIgnoreCase)
            && double.TryParse(weight[2..], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var q) && q > 0;
    }
}
