using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Headers;
using Microsoft.Net.Http.Headers;
using Pipeline.Registry.Store;

namespace Pipeline.Api.Downloads;

/// <summary>What a request asks of a file that has a strong tag and never changes (RFC 9110 §13, §14): decided before the file is opened, so that only what is sent is fetched.</summary>
/// <param name="Status">304 or 412: no body is asked for. 200: it is.</param>
/// <param name="Range">The one range asked for; null: all of it.</param>
public readonly record struct FileRequest(int Status, ByteRange? Range)
{
    /// <summary>Reads the request's headers.</summary>
    /// <param name="method">GET or HEAD.</param>
    /// <param name="headers">The headers.</param>
    /// <param name="tag">The file's strong tag; null: it is not known, so no condition on it holds.</param>
    public static FileRequest Read(string method, RequestHeaders headers, EntityTagHeaderValue? tag)
    {
        ArgumentNullException.ThrowIfNull(headers);
        if (headers.IfMatch is { Count: > 0 } wanted && !Lists(wanted, tag, strong: true)) return new(StatusCodes.Status412PreconditionFailed, null);
        if (headers.IfNoneMatch is { Count: > 0 } known && Lists(known, tag, strong: false)) return new(StatusCodes.Status304NotModified, null);
        return new(StatusCodes.Status200OK, HttpMethods.IsGet(method) && IsStillThis(headers.IfRange, tag) ? RangeOf(headers.Range) : null);
    }

    /// <summary>Whether dates make a body needless; a tag beats a date (§13.2.2).</summary>
    public static bool IsUnchanged(RequestHeaders headers, DateTimeOffset modifiedAt)
    {
        ArgumentNullException.ThrowIfNull(headers);
        return headers.IfNoneMatch is not { Count: > 0 } && headers.IfModifiedSince is { } since && modifiedAt.ToUnixTimeSeconds() <= since.ToUnixTimeSeconds();
    }

    private static bool Lists(IList<EntityTagHeaderValue> tags, EntityTagHeaderValue? tag, bool strong) =>
        tags.Any(one => one.Equals(EntityTagHeaderValue.Any) || (tag is not null && one.Compare(tag, useStrongComparison: strong)));

    // A date is no proof that the bytes are the same: with one, the whole file is sent (§13.1.5).
    private static bool IsStillThis(RangeConditionHeaderValue? condition, EntityTagHeaderValue? tag) =>
        condition is null || (tag is not null && condition.EntityTag is { } known && known.Compare(tag, useStrongComparison: true));

    // A unit that is not known, and several ranges at once, may be ignored (§14.2).
    private static ByteRange? RangeOf(RangeHeaderValue? header) =>
        header is { Ranges.Count: 1 } && header.Unit.Equals("bytes", StringComparison.OrdinalIgnoreCase) ? new ByteRange(header.Ranges.First().From, header.Ranges.First().To) : null;
}
