using System.Buffers;
using System.Globalization;
using System.Text;

namespace Pipeline.Workers.Manifests.Toml;

/// <summary>Reads the four forms of strings. A reader stands on the opening quote and ends behind the closing one.</summary>
internal static class TomlStrings
{
    private static readonly SearchValues<char> BasicStops = SearchValues.Create(TomlScanner.ControlCharacters + "\"\\");
    private static readonly SearchValues<char> LiteralStops = SearchValues.Create(TomlScanner.ControlCharacters + "'");

    /// <summary>Reads a string value: one line or, after three quotes, many.</summary>
    /// <returns>The text, or null after an error.</returns>
    public static string? ReadValue(TomlScanner scanner)
    {
        var quote = scanner.Current;
        return OpensMultiLine(scanner, quote) ? ReadMultiLine(scanner, quote) : ReadSingleLine(scanner, quote);
    }

    /// <summary>Reads a quoted key, which must not have the multi-line form.</summary>
    /// <returns>The text, or null after an error.</returns>
    public static string? ReadKey(TomlScanner scanner)
    {
        var quote = scanner.Current;
        if (!OpensMultiLine(scanner, quote))
            return ReadSingleLine(scanner, quote);
        scanner.Fail("expected a key on one line, found a multi-line string", new TomlSpan(scanner.Position, scanner.Position + 3));
        return null;
    }

    private static bool OpensMultiLine(TomlScanner scanner, char quote) =>
        scanner.Rest is [var first, var second, var third, ..] && first == quote && second == quote && third == quote;

    private static string? ReadSingleLine(TomlScanner scanner, char quote)
    {
        scanner.Position++;
        var stops = quote == '"' ? BasicStops : LiteralStops;
        var start = scanner.Position;
        scanner.Position += scanner.RunUntil(stops);
        if (scanner.Current == quote)
            return scanner.Text[start..scanner.Position++];

        var built = scanner.Buffer.Clear().Append(scanner.Text, start, scanner.Position - start);
        while (scanner.Current != quote)
        {
            if (scanner.Current != '\\' || quote == '\'')
            {
                scanner.FailExpected(ClosingOf(quote, "of the string"));
                return null;
            }
            if (!ReadEscape(scanner))
                return null;
            AppendRun(scanner, stops);
        }
        scanner.Position++;
        return built.ToString();
    }

    private static string? ReadMultiLine(TomlScanner scanner, char quote)
    {
        scanner.Position += 3;
        scanner.SkipNewline();
        var stops = quote == '"' ? BasicStops : LiteralStops;
        scanner.Buffer.Clear();
        while (true)
        {
            AppendRun(scanner, stops);
            if (scanner.Current == quote)
            {
                if (ReadClosingQuotes(scanner, quote))
                    return scanner.Buffer.ToString();
            }
            else if (!ReadMultiLineStop(scanner, quote))
            {
                return null;
            }
        }
    }

    // One or two quotes inside are text; the last three of up to five end the string.
    private static bool ReadClosingQuotes(TomlScanner scanner, char quote)
    {
        var quotes = 0;
        while (quotes < 5 && scanner.Current == quote)
        {
            quotes++;
            scanner.Position++;
        }
        var closes = quotes >= 3;
        scanner.Buffer.Append(quote, closes ? quotes - 3 : quotes);
        return closes;
    }

    private static bool ReadMultiLineStop(TomlScanner scanner, char quote)
    {
        if (scanner.Current == '\\' && quote == '"')
            return SkipEscapedNewline(scanner) || ReadEscape(scanner);
        var start = scanner.Position;
        if (!scanner.SkipNewline())
            return scanner.FailExpected(ClosingOf(quote, "of the multi-line string"));
        scanner.Buffer.Append(scanner.Text, start, scanner.Position - start);
        return true;
    }

    // A backslash at the end of a line takes away the newline and all blank space up to the next character.
    private static bool SkipEscapedNewline(TomlScanner scanner)
    {
        var start = scanner.Position++;
        scanner.SkipBlanks();
        if (!scanner.SkipNewline())
        {
            scanner.Position = start;
            return false;
        }
        do
            scanner.SkipBlanks();
        while (scanner.SkipNewline());
        return true;
    }

    private static void AppendRun(TomlScanner scanner, SearchValues<char> stops)
    {
        var length = scanner.RunUntil(stops);
        scanner.Buffer.Append(scanner.Text, scanner.Position, length);
        scanner.Position += length;
    }

    private static bool ReadEscape(TomlScanner scanner)
    {
        scanner.Position++;
        var letter = scanner.Current;
        if (letter is 'x' or 'u' or 'U')
            return ReadHexEscape(scanner, letter == 'x' ? 2 : letter == 'u' ? 4 : 8);
        var meant = letter switch
        {
            '"' or '\\' => letter,
            'b' => '\b',
            'e' => '\e',
            'f' => '\f',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            _ => '\0',
        };
        if (meant == '\0')
            return scanner.FailExpected("one of `b e f n r t \" \\ x u U` after the backslash");
        scanner.Buffer.Append(meant);
        scanner.Position++;
        return true;
    }

    private static bool ReadHexEscape(TomlScanner scanner, int digits)
    {
        var start = scanner.Position - 1;
        scanner.Position++;
        var first = scanner.Position;
        while (scanner.Position < first + digits)
        {
            if (!char.IsAsciiHexDigit(scanner.Current))
                return scanner.FailExpected($"{digits} hexadecimal digits in the escape");
            scanner.Position++;
        }
        var value = uint.Parse(scanner.Text.AsSpan(first, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
        if (!Rune.TryCreate(value, out var rune))
            return scanner.Fail($"expected a Unicode character, found U+{value:X4}, which is none", scanner.From(start));
        Span<char> units = stackalloc char[2];
        scanner.Buffer.Append(units[..rune.EncodeToUtf16(units)]);
        return true;
    }

    private static string ClosingOf(char quote, string what) =>
        quote == '"' ? $"a character or the closing quote {what}" : $"a character or the closing apostrophe {what}";
}
