using System.Globalization;
using System.Text;
using Pipeline.Contracts.Publishing;

namespace Pipeline.Api.Publishing;

/// <summary>Reads the fields of <see cref="PublishMetadata"/>, with the order of checks that a derived Rust deserializer has.</summary>
internal ref struct PublishJsonReader(ReadOnlySpan<byte> json)
{
    private const int FieldCount = 4;
    private const int Unknown = -1;
    private const int Name = 0;
    private const int Vers = 1;
    private static readonly string[] FieldNames = ["name", "vers", "readme", "readme_file"];

    private readonly string?[] values = new string?[FieldCount];
    private readonly bool[] seen = new bool[FieldCount];
    private JsonCursor cursor = new(json);
    private IReadOnlyList<ClaimedDependency> dependencies = [];

    /// <summary>The metadata, or null and the error.</summary>
    public PublishMetadata? Read(out string? error)
    {
        var complete = ReadTop();
        if (complete && cursor.SkipBlanks() >= 0)
            complete = cursor.FailNext(JsonTexts.TrailingCharacters);
        error = cursor.Error;
        return complete ? new PublishMetadata(values[Name]!, values[Vers]!, values[2], values[3], dependencies) : null;
    }

    private bool ReadTop()
    {
        switch (cursor.SkipBlanks())
        {
            case '{':
                cursor.Take();
                return ReadObject();
            case '[':
                cursor.Take();
                return ReadArray();
            case < 0:
                return cursor.FailNext(JsonTexts.EofValue);
            default:
                return cursor.FailType("struct PublishMetadata");
        }
    }

    private bool ReadObject()
    {
        for (var first = true; cursor.SkipBlanks() != '}'; first = false)
        {
            if (!ReadKey(first, out var field, out var isDependencies))
                return false;
            if (field != Unknown && seen[field])
                return FailBehind('}', $"duplicate field `{FieldNames[field]}`");
            if (!cursor.Colon() || !(isDependencies ? ReadDependencies() : ReadField(field)))
                return false;
        }

        for (var field = Name; field <= Vers; field++)
        {
            if (!seen[field])
                return FailBehind('}', $"missing field `{FieldNames[field]}`");
        }

        cursor.Take();
        return true;
    }

    private bool ReadKey(bool first, out int field, out bool isDependencies)
    {
        (field, isDependencies) = (Unknown, false);
        var next = cursor.Peek();
        if (next < 0)
            return cursor.FailNext(JsonTexts.EofObject);
        if (!first)
        {
            if (next != ',')
                return cursor.FailNext(JsonTexts.ObjectCommaOrEnd);
            cursor.Take();
            next = cursor.SkipBlanks();
        }

        if (next != '"')
            return cursor.FailNext(next < 0 ? JsonTexts.EofValue : next == '}' ? JsonTexts.TrailingComma : JsonTexts.KeyMustBeAString);

        cursor.Take();
        if (!cursor.ReadString(out var key))
            return false;
        field = key.SequenceEqual("name"u8) ? Name
            : key.SequenceEqual("vers"u8) ? Vers
            : key.SequenceEqual("readme"u8) ? 2
            : key.SequenceEqual("readme_file"u8) ? 3
            : Unknown;
        isDependencies = key.SequenceEqual("deps"u8);
        return true;
    }

    private bool ReadDependencies()
    {
        cursor.SkipBlanks();
        var start = cursor.Index;
        if (!cursor.IgnoreValue())
            return false;
        dependencies = ClaimedDependencies.Read(cursor.Since(start));
        return true;
    }

    /// <summary>Reads a field's value. The README's two may be null.</summary>
    private bool ReadField(int field)
    {
        if (field == Unknown)
            return cursor.IgnoreValue();
        seen[field] = true;
        switch (cursor.SkipBlanks())
        {
            case '"':
                cursor.Take();
                if (!cursor.ReadString(out var text))
                    return false;
                values[field] = Encoding.UTF8.GetString(text);
                return true;
            case 'n' when field > Vers:
                cursor.Take();
                return cursor.Literal("ull"u8);
            case < 0:
                return cursor.FailNext(JsonTexts.EofValue);
            default:
                return cursor.FailType("a string");
        }
    }

    /// <summary>A struct may also come as an array of its fields in order; then none may be left out.</summary>
    private bool ReadArray()
    {
        for (var field = Name; field < FieldCount; field++)
        {
            var next = cursor.SkipBlanks();
            if (next < 0)
                return cursor.FailNext(JsonTexts.EofList);
            if (next == ']')
                return FailBehind(']', string.Create(CultureInfo.InvariantCulture, $"invalid length {field}, expected struct PublishMetadata with 4 elements"));
            if (field > Name && !TakeComma())
                return false;
            if (!ReadField(field))
                return false;
        }

        return EndArray();
    }

    private bool TakeComma()
    {
        if (cursor.Peek() != ',')
            return cursor.FailNext(JsonTexts.ListCommaOrEnd);
        cursor.Take();
        return cursor.SkipBlanks() switch
        {
            ']' => cursor.FailNext(JsonTexts.TrailingComma),
            < 0 => cursor.FailNext(JsonTexts.EofValue),
            _ => true,
        };
    }

    private bool EndArray()
    {
        switch (cursor.SkipBlanks())
        {
            case ']':
                cursor.Take();
                return true;
            case ',':
                cursor.Take();
                return cursor.FailNext(cursor.SkipBlanks() == ']' ? JsonTexts.TrailingComma : JsonTexts.TrailingCharacters);
            case < 0:
                return cursor.FailNext(JsonTexts.EofList);
            default:
                return cursor.FailNext(JsonTexts.TrailingCharacters);
        }
    }

    /// <summary>Fails with a text about the whole value, whose place is behind its closing bracket if that comes next.</summary>
    private bool FailBehind(char closing, string reason)
    {
        if (cursor.SkipBlanks() == closing)
            cursor.Take();
        return cursor.Fail(reason);
    }
}
