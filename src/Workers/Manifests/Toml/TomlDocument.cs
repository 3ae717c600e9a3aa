using System.Buffers;

namespace Pipeline.Workers.Manifests.Toml;

/// <summary>
/// Reads a whole document (TOML 1.1.0). Time is linear in the text: every character is looked at a bounded number of
/// times, and a header or dotted key costs its own length. Depth is bounded, so the call stack is too.
/// </summary>
internal sealed class TomlDocument(TomlScanner scanner)
{
    /// <summary>How deep values may stand: tables of headers and dotted keys, arrays and inline tables count together.</summary>
    public const int DeepestLevel = 128;

    /// <summary>The message for more levels than <see cref="DeepestLevel"/>.</summary>
    public const string TooDeep = "the nesting is deeper than 128 levels";

    /// <summary>The message for a place where a value is missing or cannot be recognised.</summary>
    public const string ExpectedValue = "expected a value: a string, number, boolean, date, array or inline table";

    // Numbers, booleans, dates and times are made of these; a character outside ends the word.
    private static readonly SearchValues<char> WordCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-+.:");

    // A key is placed before its value is read, so one list serves every level.
    private readonly List<TomlKey> _path = [];

    /// <summary>Reads the document.</summary>
    /// <returns>The root table, or null when the scanner holds an error.</returns>
    public TomlTable? Read()
    {
        var root = new TomlTable(TomlTableForm.Header, 0, new TomlSpan(0, 0));
        if (scanner.Current == '\uFEFF')
            scanner.Position++;
        var table = root;
        while (!scanner.AtEnd)
        {
            scanner.SkipBlanks();
            if (scanner.Current == '[')
            {
                if (ReadHeader(root) is not { } opened)
                    return null;
                table = opened;
            }
            else if (!ReadLine(table))
            {
                return null;
            }
        }
        return root;
    }

    private bool ReadLine(TomlTable table)
    {
        if (scanner.AtEnd || scanner.SkipNewline())
            return true;
        if (scanner.Current == '#')
            return scanner.ReadLineEnd("the comment");
        return ReadKeyValue(table) && scanner.ReadLineEnd("the value");
    }

    private TomlTable? ReadHeader(TomlTable root)
    {
        var start = scanner.Position++;
        var isElement = scanner.Current == '[';
        if (isElement)
            scanner.Position++;
        var closing = isElement ? "`]]` after the name of the array of tables" : "`]` after the name of the table";
        if (!TomlKeys.Read(scanner, _path, DeepestLevel - 1)
            || !scanner.Expect(']', closing)
            || (isElement && !scanner.Expect(']', closing)))
        {
            return null;
        }
        var header = scanner.From(start);
        if (!scanner.ReadLineEnd("the table header"))
            return null;
        return isElement ? TomlTables.OpenElement(scanner, root, _path, header) : TomlTables.OpenTable(scanner, root, _path, header);
    }

    private bool ReadKeyValue(TomlTable table)
    {
        if (!TomlKeys.Read(scanner, _path, DeepestLevel - table.Depth)
            || !scanner.Expect('=', "`=` after the key")
            || TomlTables.PlaceFor(scanner, table, _path) is not { } parent)
        {
            return false;
        }
        var key = _path[^1];
        scanner.SkipBlanks();
        if (ReadValue(parent.Depth + 1) is not { } value)
            return false;
        parent.Add(new TomlEntry(key.Name, key.Span, value));
        return true;
    }

    private TomlValue? ReadValue(int depth)
    {
        var start = scanner.Position;
        switch (scanner.Current)
        {
            case '"' or '\'':
                return TomlStrings.ReadValue(scanner) is { } text ? new TomlString(text, scanner.From(start)) : null;
            case '[' or '{' when depth >= DeepestLevel:
                scanner.Fail(TooDeep, new TomlSpan(start, start + 1));
                return null;
            case '[':
                return ReadArray(depth);
            case '{':
                return ReadInlineTable(depth);
            default:
                return ReadWord();
        }
    }

    private TomlArray? ReadArray(int depth)
    {
        var array = new TomlArray(ofTables: false, scanner.From(scanner.Position));
        var start = scanner.Position++;
        while (true)
        {
            if (!scanner.SkipSpace())
                return null;
            if (scanner.Current == ']')
                break;
            if (ReadValue(depth + 1) is not { } value)
                return null;
            array.Add(value);
            if (!ReadSeparator(']', "`,` or `]` after the element of the array"))
                return null;
        }
        scanner.Position++;
        array.Span = scanner.From(start);
        return array;
    }

    private TomlTable? ReadInlineTable(int depth)
    {
        // Open to its own dotted keys while it is read, closed to everything else afterwards.
        var table = new TomlTable(TomlTableForm.Inline, depth, default);
        var start = scanner.Position++;
        while (true)
        {
            if (!scanner.SkipSpace())
                return null;
            if (scanner.Current == '}')
                break;
            if (!ReadKeyValue(table) || !ReadSeparator('}', "`,` or `}` after the value in the inline table"))
                return null;
        }
        scanner.Position++;
        table.Span = scanner.From(start);
        return table;
    }

    // Skips a comma; leaves the closing bracket to the caller.
    private bool ReadSeparator(char closing, string expected)
    {
        if (!scanner.SkipSpace())
            return false;
        return scanner.Current == closing || scanner.Expect(',', expected);
    }

    private TomlValue? ReadWord()
    {
        var start = scanner.Position;
        SkipWord();
        // A space may stand between date and time; digits behind a date and a space can be nothing else.
        var mayGoOn = scanner.Position - start == 10 && scanner.Rest is [' ', >= '0' and <= '9', ..];
        if (mayGoOn && TomlDateTimes.StartsAsDate(scanner.Text.AsSpan(start, 10)))
        {
            scanner.Position++;
            SkipWord();
        }
        var span = scanner.From(start);
        var word = scanner.Text.AsSpan(start, span.End - start);
        if (word.IsEmpty)
        {
            scanner.FailExpected("a value");
            return null;
        }
        if (word is "true" or "false")
            return new TomlBoolean(word is "true", span);
        var isDate = TomlDateTimes.StartsAsDate(word) || TomlDateTimes.StartsAsTime(word);
        TomlValue? value = isDate ? TomlDateTimes.Read(word, span, out var problem) : TomlNumbers.Read(word, span, out problem);
        if (value is null)
            scanner.Fail(problem, span);
        return value;
    }

    private void SkipWord()
    {
        var length = scanner.Rest.IndexOfAnyExcept(WordCharacters);
        scanner.Position = length < 0 ? scanner.Text.Length : scanner.Position + length;
    }
}
