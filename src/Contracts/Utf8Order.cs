namespace Pipeline.Contracts;

/// <summary>
/// Compares strings as their UTF-8 bytes compare, which is how crates.io sorts everything it sorts. Ordinal UTF-16 order differs from it
/// only where a surrogate meets a char above the surrogates (U+E000 to U+FFFF).
/// </summary>
public sealed class Utf8Order : IComparer<string>
{
    private Utf8Order()
    {
    }

    /// <summary>The only instance; it has no state.</summary>
    public static Utf8Order Instance { get; } = new();

    /// <summary>Compares two strings; null sorts first.</summary>
    public int Compare(string? x, string? y)
    {
        if (x is null || y is null)
            return (x is null ? 0 : 1) - (y is null ? 0 : 1);
        var common = x.AsSpan().CommonPrefixLength(y);
        if (common == x.Length || common == y.Length)
            return x.Length.CompareTo(y.Length);
        return Rank(x[common]).CompareTo(Rank(y[common]));
    }

    // A surrogate stands for a code point above U+FFFF, so it has to sort after every char that stands for itself.
    private static int Rank(char c) => char.IsSurrogate(c) ? c + 0x10000 : c;
}
