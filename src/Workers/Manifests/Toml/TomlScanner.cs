using System.Buffers;
using System.Globalization;
using System.Text;

namespace Pipeline.Workers.Manifests.Toml;

/// <summary>
/// The place in a text under reading, the first error met, and the readers of what stands between keys and values.
/// Every reader answers false (or null) after it has noted an error; its caller then only returns.
/// </summary>
internal sealed class TomlScanner(string text)
{
    /// <summary>What no text may contain unescaped: C0 but the tab, and DEL. Line breaks are in it: they end what they stand in.</summary>
    public const string ControlCharacters =
        "\u0000\u0001\u0002\u0003\u0004\u0005\u0006\u0007\u0008\u000A\u000B\u000C\u000D\u000E\u000F"
        + "\u0010\u0011\u0012\u0013\u0014\u0015\u0016\u0017\u0018\u0019\u001A\u001B\u001C\u001D\u001E\u001F\u007F";

    private static readonly SearchValues<char> Controls = SearchValues.Create(ControlCharacters);

    /// <summary>The whole text.</summary>
    public string Text { get; } = text;

    /// <summary>Offset of the next code unit.</summary>
    public int Position { get; set; }

    /// <summary>The first error, or null.</summary>
    public TomlError? Error { get; private set; }

    /// <summary>A buffer for whoever builds a string; its user clears it first.</summary>
    public StringBuilder Buffer { get; } = new();

    /// <summary>Whether everything is read.</summary>
    public bool AtEnd => Position >= Text.Length;

    /// <summary>The next code unit; NUL at the end, which no TOML text may contain.</summary>
    public char Current => Position < Text.Length ? Text[Position] : '\0';

    /// <summary>What is still to be read.</summary>
    public ReadOnlySpan<char> Rest => Text.AsSpan(Position);

    /// <summary>The stretch from <paramref name="start"/> to the current place.</summary>
    public TomlSpan From(int start) => new(start, Position);

    /// <summary>Notes an error unless one is noted already.</summary>
    /// <returns>Always false.</returns>
    public bool Fail(string message, TomlSpan span)
    {
        Error ??= new TomlError(Text, message, span);
        return false;
    }

    /// <summary>Notes that the next character is not what must come here.</summary>
    /// <returns>Always false.</returns>
    public bool FailExpected(string expected)
    {
        if (AtEnd)
            return Fail($"expected {expected}, found the end of the file", new TomlSpan(Position, Position));
        var length = Rune.TryGetRuneAt(Text, Position, out var found) ? found.Utf16SequenceLength : 1;
        return Fail($"expected {expected}, found {Name(found)}", new TomlSpan(Position, Position + length));
    }

    /// <summary>Moves on over a character that must come next.</summary>
    public bool Expect(char wanted, string expected)
    {
        if (Current != wanted)
            return FailExpected(expected);
        Position++;
        return true;
    }

    /// <summary>Skips spaces and tabs.</summary>
    public void SkipBlanks()
    {
        while (Current is ' ' or '\t')
            Position++;
    }

    /// <summary>Skips one line feed, or carriage return with line feed; tells whether one was there.</summary>
    public bool SkipNewline()
    {
        if (Current == '\r' && Position + 1 < Text.Length && Text[Position + 1] == '\n')
            Position++;
        if (Current != '\n')
            return false;
        Position++;
        return true;
    }

    /// <summary>Reads to the end of the line, where only blanks and a comment may stand.</summary>
    /// <param name="after">What the line held, for the message: <c>the value</c>.</param>
    public bool ReadLineEnd(string after)
    {
        SkipBlanks();
        if (Current == '#' && !SkipComment())
            return false;
        return AtEnd || SkipNewline() || FailExpected($"a new line after {after}");
    }

    /// <summary>Skips what may stand around the elements of arrays and inline tables: blanks, newlines, comments.</summary>
    public bool SkipSpace()
    {
        while (true)
        {
            SkipBlanks();
            if (Current == '#')
            {
                if (!SkipComment())
                    return false;
            }
            else if (!SkipNewline())
            {
                return true;
            }
        }
    }

    /// <summary>The length of the run of characters, from here, that are neither controls nor the given stops.</summary>
    public int RunUntil(SearchValues<char> stops)
    {
        var length = Rest.IndexOfAny(stops);
        return length < 0 ? Text.Length - Position : length;
    }

    /// <summary>The character for people: itself in backticks, or its number or name when it cannot be seen.</summary>
    public static string Name(Rune found) => found.Value switch
    {
        '\n' => "a line break",
        '\r' => "a carriage return without a line feed",
        ' ' => "a space",
        '\t' => "a tab",
        '`' => "a backtick",
        _ when Rune.IsControl(found) || Rune.GetUnicodeCategory(found) == UnicodeCategory.Format => $"U+{found.Value:X4}",
        _ => $"`{found}`",
    };

    private bool SkipComment()
    {
        Position += RunUntil(Controls);
        var ends = AtEnd || Current == '\n' || (Current == '\r' && Position + 1 < Text.Length && Text[Position + 1] == '\n');
        return ends || FailExpected("a comment without control characters");
    }
}
