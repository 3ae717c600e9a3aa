using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Pipeline.Contracts;

namespace Pipeline.Api.Http;

/// <summary>Which part of a long list is asked for (crates-io-behaviour §6.6): by number, or from where the part before ended.</summary>
/// <param name="PerPage">How many at most.</param>
/// <param name="Page">The page's number from 1; null: by seek.</param>
/// <param name="Seek">The sort values of the last item before; null: from the start.</param>
public sealed record Paging(int PerPage, int? Page, SeekPoint? Seek)
{
    private const int DefaultPerPage = 10;
    private const int MaxPerPage = 100;
    private const int MaxPage = 200;

    /// <summary>How many items come before.</summary>
    public long Offset => Page is { } page ? (long)(page - 1) * PerPage : 0;

    /// <summary>Reads <c>page</c>, <c>per_page</c> and <c>seek</c>, or says what is wrong with them.</summary>
    public static bool TryRead(IQueryCollection query, [NotNullWhen(true)] out Paging? paging, [NotNullWhen(false)] out Reject? reject)
    {
        ArgumentNullException.ThrowIfNull(query);
        reject = Read(query, out paging);
        return reject is null;
    }

    /// <summary>The query string of the page behind this one, as <c>meta.next_page</c> shows it; null: there is none.</summary>
    /// <param name="query">The request's parameters, which the next page keeps.</param>
    /// <param name="total">How many items there are in all.</param>
    /// <param name="shown">How many of them this page has.</param>
    /// <param name="last">The sort values of the last of them.</param>
    public string? NextPage(IQueryCollection query, long total, int shown, SeekPoint last) => Page is { } page
        ? Offset + shown < total ? With(query, "page", (page + 1).ToString(CultureInfo.InvariantCulture)) : null
        : shown == PerPage ? With(query, "seek", last.ToText()) : null;

    /// <summary>The query string of the page before this one; null: there is none, or pages are not numbered.</summary>
    public string? PreviousPage(IQueryCollection query) => Page > 1 ? With(query, "page", (Page.Value - 1).ToString(CultureInfo.InvariantCulture)) : null;

    private static Reject? Read(IQueryCollection query, out Paging? paging)
    {
        paging = null;
        if (!TryNumber(query["per_page"], out var perPage)) return Invalid("invalid per_page parameter");
        if (perPage > MaxPerPage) return Invalid($"cannot request more than {MaxPerPage} items");
        if (perPage == 0) return Invalid("cannot request 0 items");
        if (!TryNumber(query["page"], out var page)) return Invalid("invalid page parameter");
        if (page is not null && query.ContainsKey("seek")) return Invalid("providing both ?page= and ?seek= is unsupported");
        if (page == 0) return Invalid("page indexing starts from 1, page 0 is invalid");
        if (page > MaxPage) return Invalid($"Page {page} is unavailable for performance reasons.");
        SeekPoint? seek = null;
        if (query.ContainsKey("seek") && !SeekPoint.TryParse(query["seek"].ToString(), out seek)) return Invalid("invalid seek parameter");
        paging = new Paging(perPage ?? DefaultPerPage, page, seek);
        return null;
    }

    private static bool TryNumber(string? text, out int? number)
    {
        number = null;
        if (text is null) return true;
        if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value)) return false;
        number = value;
        return true;
    }

    private static string With(IQueryCollection query, string name, string value)
    {
        var text = new StringBuilder("?");
        foreach (var (key, values) in query)
        {
            if (key is "page" or "seek") continue;
            foreach (var one in values) text.Append(Uri.EscapeDataString(key)).Append('=').Append(Uri.EscapeDataString(one ?? "")).Append('&');
        }

        return text.Append(name).Append('=').Append(value).ToString();
    }

    private static Reject Invalid(Sentence text) => new(RejectCodes.InvalidRequest, 400, text);
}

/// <summary>Where a part of a list ended: the values it is sorted by. Opaque on the wire.</summary>
/// <param name="Rank">The first value.</param>
/// <param name="Key">The second, which is unique.</param>
public sealed record SeekPoint(long Rank, string Key)
{
    private const int MaxText = 512;

    /// <summary>The point as it travels: base64url of a JSON list.</summary>
    public string ToText()
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartArray();
            json.WriteNumberValue(Rank);
            json.WriteStringValue(Key);
            json.WriteEndArray();
        }

        return Base64Url.EncodeToString(buffer.ToArray());
    }

    /// <summary>Reads a point; false: it is none of ours.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out SeekPoint? point)
    {
        point = null;
        if (text.Length is 0 or > MaxText || !Base64Url.IsValid(text)) return false;
        try
        {
            using var document = JsonDocument.Parse(Base64Url.DecodeFromChars(text));
            var list = document.RootElement;
            if (list.ValueKind != JsonValueKind.Array || list.GetArrayLength() != 2) return false;
            if (list[0].ValueKind != JsonValueKind.Number || !list[0].TryGetInt64(out var rank) || list[1].ValueKind != JsonValueKind.String) return false;
            point = new SeekPoint(rank, list[1].GetString()!);
            return true;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // Not ours, or half of a surrogate pair in it; the caller says so to the client.
            return false;
        }
    }
}
