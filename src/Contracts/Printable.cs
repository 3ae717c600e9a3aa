using System.Globalization;
using System.Text;

namespace Pipeline.Contracts;

/// <summary>
/// Text for a terminal or a log of lines. A stranger's control characters would move the cursor, clear the screen, forge lines or set
/// commands into the operator's own mouth; they are shown as JSON writes them, <c>\u001b</c>, so that JSON stays what it was.
/// </summary>
public static class Printable
{
    /// <summary>The text, with line breaks and tabs as they are.</summary>
    public static string Of(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return IsPrintable(text) ? text : Escaped(text, oneLine: false);
    }

    /// <summary>The text on one line.</summary>
    public static string OneLine(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return IsPrintable(text) && !text.AsSpan().ContainsAny('\n', '\t') ? text : Escaped(text, oneLine: true);
    }

    /// <summary>Whether a character shows itself and does nothing. Line feed and tab do no harm.</summary>
    public static bool IsHarmless(char c) =>
        c is '\n' or '\t' || !(char.IsControl(c) || c is '\u2028' or '\u2029' or '\u061c' or '\u200e' or '\u200f' or (>= '\u202a' and <= '\u202e') or (>= '\u2066' and <= '\u2069'));

    private static bool IsPrintable(string text)
    {
        foreach (var c in text)
        {
            if (!IsHarmless(c)) return false;
        }

        return true;
    }

    private static string Escaped(string text, bool oneLine)
    {
        var shown = new StringBuilder(text.Length + 16);
        foreach (var c in text)
        {
            if (oneLine && c is '\n' or '\t') shown.Append(' ');
            else if (oneLine && c == '\r') continue;
            else if (IsHarmless(c)) shown.Append(c);
            else shown.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}");
        }

        return shown.ToString();
    }
}
