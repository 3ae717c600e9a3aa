using System.Text;

namespace Pipeline.Contracts;

/// <summary>
/// How much of a stranger's input is repeated: in a refusal, a stored text, a log line. What was sent once must not be answered, kept and
/// logged a thousand times as long.
/// </summary>
public static class Quoted
{
    /// <summary>The most characters of one value.</summary>
    public const int MaxValue = 200;

    /// <summary>The most bytes of one text, in UTF-8.</summary>
    public const int MaxText = 4096;

    private const char Cut = '…';
    private const int CutBytes = 3;

    /// <summary>A value as it is repeated.</summary>
    public static string Value(string value)
    {
        ArgumentNullException.ThrowIfNull(value);
        return value.Length <= MaxValue ? value : string.Concat(Value(value.AsSpan()), [Cut]);
    }

    /// <summary>The start of a value that is repeated, without the mark for what was cut.</summary>
    public static ReadOnlySpan<char> Value(ReadOnlySpan<char> value) => value.Length <= MaxValue ? value : Whole(value[..(MaxValue - 1)]);

    /// <summary>Values in a row: each is cut, and of very many the last are left out.</summary>
    public static string Values(IEnumerable<string> values, string separator = ", ") => Text(string.Join(separator, values.Take(MaxValue).Select(Value)));

    /// <summary>A text as it is answered, stored or logged.</summary>
    public static string Text(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        // No character has more than three bytes to a UTF-16 unit.
        if (text.Length <= MaxText / 3 || Encoding.UTF8.GetByteCount(text) <= MaxText) return text;
        var (units, bytes) = (0, 0);
        foreach (var rune in text.EnumerateRunes())
        {
            if (bytes + rune.Utf8SequenceLength > MaxText - CutBytes) break;
            bytes += rune.Utf8SequenceLength;
            units += rune.Utf16SequenceLength;
        }

        return string.Concat(text.AsSpan(0, units), [Cut]);
    }

    // No half of a surrogate pair is left at the end.
    private static ReadOnlySpan<char> Whole(ReadOnlySpan<char> text) => char.IsHighSurrogate(text[^1]) ? text[..^1] : text;
}
