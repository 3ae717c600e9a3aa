namespace Pipeline.Api.Search;

/// <summary>
/// A run of letters and digits, in the words of a crate or in what is looked for. All that is not ASCII counts as letters: what a letter is
/// there does not matter, as long as both sides are cut alike.
/// </summary>
/// <param name="Start">Its first byte.</param>
/// <param name="Length">Its bytes.</param>
internal readonly record struct Term(int Start, int Length)
{
    /// <summary>Whether a byte belongs to a term; the others stand between terms.</summary>
    public static bool Has(byte b) => b is >= (byte)'a' and <= (byte)'z' or >= (byte)'0' and <= (byte)'9' or >= (byte)'A' and <= (byte)'Z' or >= 0x80;

    /// <summary>The first term of a text from a byte on; false: there is none.</summary>
    public static bool TryNext(ReadOnlySpan<byte> text, int from, out Term term)
    {
        while (from < text.Length && !Has(text[from])) from++;
        var to = from;
        while (to < text.Length && Has(text[to])) to++;
        term = new Term(from, to - from);
        return to > from;
    }

    /// <summary>Its bytes in the text that it is of.</summary>
    public ReadOnlySpan<byte> Of(ReadOnlySpan<byte> text) => text.Slice(Start, Length);

    /// <summary>
    /// Whether it can be a part of a term of the text that is looked in, when its own text is looked for: only at an end of that text is it not
    /// known what stands beside it.
    /// </summary>
    /// <param name="term">A term of the text that is looked in.</param>
    /// <param name="text">The text that is looked for, whose term this is.</param>
    public bool IsIn(ReadOnlySpan<byte> term, ReadOnlySpan<byte> text)
    {
        var own = Of(text);
        var (isFirst, isLast) = (Start == 0, Start + Length == text.Length);
        if (isFirst) return isLast ? term.IndexOf(own) >= 0 : term.EndsWith(own);
        return isLast ? term.StartsWith(own) : term.SequenceEqual(own);
    }
}
