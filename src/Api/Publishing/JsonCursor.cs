using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Unicode;
using Pipeline.Contracts;

namespace Pipeline.Api.Publishing;

/// <summary>
/// Walks over JSON bytes and words what it stumbles over as serde_json does, because that is what publishers of crates.io see and what
/// they search for. Every reading method returns false when it failed; <see cref="Error"/> then says why, and the cursor is done for.
/// </summary>
/// <remarks>
/// The words carry the line, from 1, and the column, the number of bytes taken of that line. Some troubles are reported after the byte at
/// fault and some before it; which is which is serde_json's habit, not a rule.
/// </remarks>
internal ref partial struct JsonCursor(ReadOnlySpan<byte> json)
{
    private const int End = -1;
    private static readonly SearchValues<byte> StringStops =
        SearchValues.Create([.. Enumerable.Range(0, 0x20).Select(b => (byte)b), (byte)'"', (byte)'\\']);

    private readonly ReadOnlySpan<byte> json = json;
    private string? reason;
    private int reasonAt;

    /// <summary>The number of bytes taken.</summary>
    public int Index { get; private set; }

    /// <summary>Whether something was wrong.</summary>
    public readonly bool HasFailed => reason is not null;

    /// <summary>The first trouble met, with its place; null while there is none. Only this counts lines, so failing itself is cheap.</summary>
    public readonly string? Error
    {
        get
        {
            if (reason is null)
                return null;
            var before = json[..reasonAt];
            var line = before.Count((byte)'\n') + 1;
            var column = reasonAt - (before.LastIndexOf((byte)'\n') + 1);
            return string.Create(CultureInfo.InvariantCulture, $"{reason} at line {line} column {column}");
        }
    }

    /// <summary>The next byte, or a negative number at the end.</summary>
    public readonly int Peek() => Index < json.Length ? json[Index] : End;

    /// <summary>Takes blanks; returns the byte behind them as <see cref="Peek"/> does.</summary>
    public int SkipBlanks()
    {
        while (Index < json.Length && json[Index] is (byte)' ' or (byte)'\n' or (byte)'\t' or (byte)'\r')
            Index++;
        return Peek();
    }

    /// <summary>Takes one byte.</summary>
    public void Take() => Index++;

    /// <summary>The bytes from <paramref name="start"/> to the cursor.</summary>
    public readonly ReadOnlySpan<byte> Since(int start) => json[start..Index];

    /// <summary>Goes back to a place behind which the JSON is known to be sound, forgetting the trouble.</summary>
    public void Rewind(int index) => (Index, reason) = (index, null);

    /// <summary>Fails with the place of the bytes taken.</summary>
    public bool Fail(Sentence why) => FailAt(why.ToText(), Index);

    /// <summary>Fails with the place behind the next byte, which is the one at fault.</summary>
    public bool FailNext(string why) => FailAt(why, Math.Min(Index + 1, json.Length));

    /// <summary>Takes the rest of <c>null</c>, <c>true</c> or <c>false</c> after its first letter.</summary>
    public bool Literal(ReadOnlySpan<byte> rest)
    {
        foreach (var expected in rest)
        {
            if (Index == json.Length)
                return Fail(JsonTexts.EofValue);
            if (json[Index++] != expected)
                return Fail("expected ident");
        }

        return true;
    }

    /// <summary>Takes the colon behind a key.</summary>
    public bool Colon()
    {
        switch (SkipBlanks())
        {
            case ':':
                Take();
                return true;
            case End:
                return FailNext(JsonTexts.EofObject);
            default:
                return FailNext("expected `:`");
        }
    }

    /// <summary>Reads a string whose opening quote is taken. The bytes are its text, unescaped, in UTF-8.</summary>
    public bool ReadString(out ReadOnlySpan<byte> text)
    {
        ArrayBufferWriter<byte>? unescaped = null;
        var start = Index;
        text = default;
        while (true)
        {
            SkipPlain();
            switch (Peek())
            {
                case End:
                    return Fail(JsonTexts.EofString);
                case '"':
                    text = json[start..Index];
                    Take();
                    if (unescaped is not null)
                    {
                        unescaped.Write(text);
                        text = unescaped.WrittenSpan;
                    }

                    return Utf8.IsValid(text) || Fail("invalid unicode code point");
                case '\\':
                    unescaped ??= new ArrayBufferWriter<byte>(2 * (Index - start + 64));
                    unescaped.Write(json[start..Index]);
                    Take();
                    if (!ReadEscape(unescaped))
                        return false;
                    start = Index;
                    break;
                default:
                    Take();
                    return Fail(JsonTexts.ControlCharacter);
            }
        }
    }

    /// <summary>Takes a string whose opening quote is taken. Neither its bytes nor its surrogates are looked at.</summary>
    private bool IgnoreString()
    {
        while (true)
        {
            SkipPlain();
            switch (Peek())
            {
                case End:
                    return Fail(JsonTexts.EofString);
                case '"':
                    Take();
                    return true;
                case '\\':
                    Take();
                    if (!IgnoreEscape())
                        return false;
                    break;
                default:
                    return Fail(JsonTexts.ControlCharacter);
            }
        }
    }

    private void SkipPlain()
    {
        var plain = json[Index..].IndexOfAny(StringStops);
        Index = plain < 0 ? json.Length : Index + plain;
    }

    private bool IgnoreEscape()
    {
        switch (Next())
        {
            case End:
                return Fail(JsonTexts.EofString);
            case '"' or '\\' or '/' or 'b' or 'f' or 'n' or 'r' or 't':
                return true;
            case 'u':
                return ReadHex(out _);
            default:
                return Fail(JsonTexts.InvalidEscape);
        }
    }

    private bool ReadEscape(ArrayBufferWriter<byte> unescaped)
    {
        var escape = Next();
        switch (escape)
        {
            case End:
                return Fail(JsonTexts.EofString);
            case '"' or '\\' or '/':
                return Put(unescaped, (byte)escape);
            case 'b':
                return Put(unescaped, (byte)'\b');
            case 'f':
                return Put(unescaped, (byte)'\f');
            case 'n':
                return Put(unescaped, (byte)'\n');
            case 'r':
                return Put(unescaped, (byte)'\r');
            case 't':
                return Put(unescaped, (byte)'\t');
            case 'u':
                return ReadUnicodeEscape(unescaped);
            default:
                return Fail(JsonTexts.InvalidEscape);
        }
    }

    private bool ReadUnicodeEscape(ArrayBufferWriter<byte> unescaped)
    {
        if (!ReadHex(out var first))
            return false;
        if (char.IsLowSurrogate((char)first))
            return Fail(JsonTexts.LoneSurrogate);
        var rune = first;
        if (char.IsHighSurrogate((char)first))
        {
            if (!TakeInPair((byte)'\\') || !TakeInPair((byte)'u') || !ReadHex(out var second))
                return false;
            if (!char.IsLowSurrogate((char)second))
                return Fail(JsonTexts.LoneSurrogate);
            rune = char.ConvertToUtf32((char)first, (char)second);
        }

        unescaped.Advance(new Rune(rune).EncodeToUtf8(unescaped.GetSpan(4)));
        return true;
    }

    /// <summary>Takes a byte that has to stand between the halves of a surrogate pair.</summary>
    private bool TakeInPair(byte expected)
    {
        var found = Next();
        if (found == End)
            return Fail(JsonTexts.EofString);
        return found == expected || Fail("unexpected end of hex escape");
    }

    private bool ReadHex(out int value)
    {
        value = 0;
        if (json.Length - Index < 4)
        {
            Index = json.Length;
            return Fail(JsonTexts.EofString);
        }

        foreach (var digit in json.Slice(Index, 4))
            value = char.IsAsciiHexDigit((char)digit) && value >= 0 ? (value * 16) + HexValue(digit) : -1;
        Index += 4;
        return value >= 0 || Fail(JsonTexts.InvalidEscape);
    }

    private static int HexValue(byte digit) => digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10;

    private static bool Put(ArrayBufferWriter<byte> unescaped, byte value)
    {
        unescaped.GetSpan(1)[0] = value;
        unescaped.Advance(1);
        return true;
    }

    private int Next() => Index < json.Length ? json[Index++] : End;

    private bool FailAt(string why, int taken)
    {
        if (reason is null)
            (reason, reasonAt) = (why, taken);
        return false;
    }
}
