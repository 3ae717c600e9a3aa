using System.Buffers;
using System.Globalization;
using System.Text;

namespace Pipeline.Contracts.Index;

/// <summary>
/// Writes JSON strings as crates.io's serializer does: only <c>"</c>, <c>\</c> and control characters below U+0020 are escaped. The
/// framework's encoders escape more (U+007F, U+2028, characters outside their allow-list), and one byte more is another index file.
/// </summary>
internal static class JsonText
{
    private static readonly SearchValues<char> Escaped = SearchValues.Create(
        "\"\\\0\u0001\u0002\u0003\u0004\u0005\u0006\a\b\t\n\v\f\r\u000e\u000f"
        + "\u0010\u0011\u0012\u0013\u0014\u0015\u0016\u0017\u0018\u0019\u001a\u001b\u001c\u001d\u001e\u001f");

    /// <summary>Appends <paramref name="text"/> as a quoted JSON string.</summary>
    public static StringBuilder AppendJson(this StringBuilder json, string text)
    {
        json.Append('"');
        var rest = text.AsSpan();
        for (int at; (at = rest.IndexOfAny(Escaped)) >= 0; rest = rest[(at + 1)..])
        {
            json.Append(rest[..at]);
            AppendEscape(json, rest[at]);
        }

        return json.Append(rest).Append('"');
    }

    /// <summary>Appends <paramref name="texts"/> as an array of JSON strings.</summary>
    public static StringBuilder AppendJson(this StringBuilder json, IReadOnlyList<string> texts)
    {
        json.Append('[');
        for (var i = 0; i < texts.Count; i++)
        {
            if (i > 0)
                json.Append(',');
            json.AppendJson(texts[i]);
        }

        return json.Append(']');
    }

    private static void AppendEscape(StringBuilder json, char c)
    {
        json.Append('\\');
        switch (c)
        {
            case '"' or '\\':
                json.Append(c);
                break;
            case '\b':
                json.Append('b');
                break;
            case '\t':
                json.Append('t');
                break;
            case '\n':
                json.Append('n');
                break;
            case '\f':
                json.Append('f');
                break;
            case '\r':
                json.Append('r');
                break;
            default:
                json.Append(CultureInfo.InvariantCulture, $"u{(int)c:x4}");
                break;
        }
    }
}
