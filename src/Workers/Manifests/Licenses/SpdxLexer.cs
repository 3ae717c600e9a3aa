namespace Pipeline.Workers.Manifests.Licenses;

/// <summary>
/// Cuts an SPDX expression into tokens, lazily: a reader that stops at a misplaced token never hears of bad characters behind it.
/// </summary>
internal ref struct SpdxLexer(string text)
{
    /// <summary>Where the token last read starts, in chars.</summary>
    public int Start { get; private set; }

    /// <summary>The first char behind it.</summary>
    public int End { get; private set; }

    /// <summary>The token's text.</summary>
    public readonly ReadOnlySpan<char> Value => text.AsSpan(Start, End - Start);

    /// <summary>Reads the next token, or <see cref="SpdxToken.None"/> at the end; or says why there is none.</summary>
    public SpdxToken Next(out SpdxError? error)
    {
        var before = End;
        var rest = text.AsSpan(before).TrimStart();
        Start = text.Length - rest.Length;
        End = Start;
        error = null;
        if (rest.IsEmpty)
            return SpdxToken.None;
        switch (rest[0])
        {
            case '+' when Start > before:
                // The mark stands under the blanks that should not be there.
                error = SpdxError.At(text, before, Start, "`+` must not follow whitespace");
                return SpdxToken.None;
            case '+':
                return Take(SpdxToken.Plus, 1);
            case '(':
                return Take(SpdxToken.Open, 1);
            case ')':
                return Take(SpdxToken.Close, 1);
            case '/':
                return Take(SpdxToken.Or, 1);
        }

        var word = rest[..WordLength(rest)];
        if (word.IsEmpty)
        {
            error = SpdxError.At(text, Start, text.Length, "invalid character(s)");
            return SpdxToken.None;
        }

        var token = Classify(word, out var length);
        if (token == SpdxToken.None)
            error = SpdxError.At(text, Start, Start + length, "unknown term");
        return Take(token, length);
    }

    private SpdxToken Take(SpdxToken token, int length)
    {
        End = Start + length;
        return token;
    }

    private static SpdxToken Classify(ReadOnlySpan<char> word, out int length)
    {
        length = word.Length;
        switch (word)
        {
            case "AND" or "and":
                return SpdxToken.And;
            case "OR" or "or":
                return SpdxToken.Or;
            case "WITH" or "with":
                return SpdxToken.With;
        }

        if (SpdxIds.IsLicense(word))
            return SpdxToken.License;
        if (SpdxIds.IsException(word))
            return SpdxToken.Exception;
        return Reference(word, out length);
    }

    /// <summary>Recognises the four kinds of references. A reference ends before a further <c>:</c>, which then starts the next word.</summary>
    private static SpdxToken Reference(ReadOnlySpan<char> word, out int length)
    {
        var start = 0;
        if (word.StartsWith("DocumentRef-") && word.IndexOf(':') is var colon and > 0)
            start = colon + 1;
        var name = word[start..];
        var token = name.StartsWith("LicenseRef-") ? SpdxToken.LicenseRef
            : name.StartsWith("AdditionRef-") ? SpdxToken.AdditionRef
            : SpdxToken.None;
        var end = token == SpdxToken.None ? -1 : name.IndexOf(':');
        length = end < 0 ? word.Length : start + end;
        return token;
    }

    private static int WordLength(ReadOnlySpan<char> rest)
    {
        var length = 0;
        while (length < rest.Length && (char.IsAsciiLetterOrDigit(rest[length]) || rest[length] is '-' or '.' or ':'))
            length++;
        return length;
    }
}
