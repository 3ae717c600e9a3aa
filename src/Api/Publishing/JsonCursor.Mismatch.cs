using System.Globalization;
using System.Text;

namespace Pipeline.Api.Publishing;

internal ref partial struct JsonCursor
{
    /// <summary>
    /// Fails because the value at the cursor is not of the wanted type: <c>invalid type: integer `1`, expected a string</c>. If the value is
    /// not sound itself, that is the error.
    /// </summary>
    public bool FailType(string expected)
    {
        switch (Peek())
        {
            case 'n':
                Take();
                return Literal("ull"u8) && FailType("null", expected);
            case 't':
                Take();
                return Literal("rue"u8) && FailType("boolean `true`", expected);
            case 'f':
                Take();
                return Literal("alse"u8) && FailType("boolean `false`", expected);
            case '-':
                Take();
                return DescribeNumber(negative: true, out var negative) && FailType(negative, expected);
            case >= '0' and <= '9':
                return DescribeNumber(negative: false, out var number) && FailType(number, expected);
            case '"':
                Take();
                return ReadString(out var text) && FailType($"string {Quoted(Encoding.UTF8.GetString(text))}", expected);
            case '[':
                return FailType("sequence", expected);
            case '{':
                return FailType("map", expected);
            default:
                return FailNext(JsonTexts.ExpectedValue);
        }
    }

    private bool FailType(string found, string expected) => Fail($"invalid type: {found}, expected {expected}");

    /// <summary>A string as Rust prints it for programmers.</summary>
    private static string Quoted(string text)
    {
        var quoted = new StringBuilder("\"");
        foreach (var rune in Pipeline.Contracts.Quoted.Value(text).EnumerateRunes())
        {
            _ = rune.Value switch
            {
                '"' => quoted.Append("\\\""),
                '\\' => quoted.Append("\\\\"),
                '\0' => quoted.Append("\\0"),
                '\t' => quoted.Append("\\t"),
                '\n' => quoted.Append("\\n"),
                '\r' => quoted.Append("\\r"),
                _ when IsPrinted(rune) => quoted.Append(rune.ToString()),
                _ => quoted.Append(CultureInfo.InvariantCulture, $"\\u{{{rune.Value:x}}}"),
            };
        }

        return quoted.Append('"').ToString();
    }

    private static bool IsPrinted(Rune rune) => rune.Value == ' ' || Rune.GetUnicodeCategory(rune) is not (
        UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse
        or UnicodeCategory.OtherNotAssigned or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator
        or UnicodeCategory.SpaceSeparator or UnicodeCategory.NonSpacingMark or UnicodeCategory.EnclosingMark);
}
