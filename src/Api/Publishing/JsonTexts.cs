namespace Pipeline.Api.Publishing;

/// <summary>serde_json's words for what several places of <see cref="JsonCursor"/> can meet.</summary>
internal static class JsonTexts
{
    public const string EofValue = "EOF while parsing a value";
    public const string EofString = "EOF while parsing a string";
    public const string EofList = "EOF while parsing a list";
    public const string EofObject = "EOF while parsing an object";
    public const string ExpectedValue = "expected value";
    public const string KeyMustBeAString = "key must be a string";
    public const string ListCommaOrEnd = "expected `,` or `]`";
    public const string ObjectCommaOrEnd = "expected `,` or `}`";
    public const string TrailingComma = "trailing comma";
    public const string TrailingCharacters = "trailing characters";
    public const string InvalidEscape = "invalid escape";
    public const string InvalidNumber = "invalid number";
    public const string NumberOutOfRange = "number out of range";
    public const string LoneSurrogate = "lone leading surrogate in hex escape";
    public const string ControlCharacter = "control character (\\u0000-\\u001F) found while parsing a string";
}
