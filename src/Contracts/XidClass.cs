using System.Globalization;
using System.Text;

namespace Pipeline.Contracts;

/// <summary>
/// Unicode's XID_Start and XID_Continue (UAX #31, DerivedCoreProperties): the general categories that the runtime knows, plus and minus the few
/// code points the standard lists by hand (PropList Other_ID_*, Pattern_Syntax, and the closure under NFKC).
/// </summary>
internal static class XidClass
{
    /// <summary>Whether a word may start with it.</summary>
    public static bool IsStart(Rune c)
    {
        if (c.IsAscii)
            return char.IsAsciiLetter((char)c.Value);
        if (IsNotClosedUnderNfkc(c.Value) || c.Value is 0x0E33 or 0x0EB3 or 0xFF9E or 0xFF9F)
            return false;
        return IsIdStart(c);
    }

    /// <summary>Whether a word may go on with it.</summary>
    public static bool IsContinue(Rune c)
    {
        if (c.IsAscii)
            return char.IsAsciiLetterOrDigit((char)c.Value) || c.Value == '_';
        if (IsNotClosedUnderNfkc(c.Value))
            return false;
        return IsIdStart(c) || IsOtherIdContinue(c.Value)
            || Rune.GetUnicodeCategory(c) is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark
                or UnicodeCategory.DecimalDigitNumber or UnicodeCategory.ConnectorPunctuation;
    }

    private static bool IsIdStart(Rune c) => Rune.GetUnicodeCategory(c) switch
    {
        UnicodeCategory.UppercaseLetter or UnicodeCategory.LowercaseLetter or UnicodeCategory.TitlecaseLetter
            or UnicodeCategory.OtherLetter or UnicodeCategory.LetterNumber => true,
        // VERTICAL TILDE is a letter by category but syntax by property.
        UnicodeCategory.ModifierLetter => c.Value != 0x2E2F,
        // Other_ID_Start; its Mongolian and katakana-mark members are handled with the closure or are marks by category.
        _ => c.Value is 0x1885 or 0x1886 or 0x2118 or 0x212E,
    };

    private static bool IsOtherIdContinue(int c) =>
        c is 0x00B7 or 0x0387 or (>= 0x1369 and <= 0x1371) or 0x19DA or 0x200C or 0x200D or 0x30FB or 0xFF65;

    /// <summary>Code points whose NFKC form would not be a word, which ID has and XID has not.</summary>
    private static bool IsNotClosedUnderNfkc(int c) =>
        c is 0x037A or 0x309B or 0x309C or (>= 0xFC5E and <= 0xFC63) or 0xFDFA or 0xFDFB
            or 0xFE70 or 0xFE72 or 0xFE74 or 0xFE76 or 0xFE78 or 0xFE7A or 0xFE7C or 0xFE7E;
}
