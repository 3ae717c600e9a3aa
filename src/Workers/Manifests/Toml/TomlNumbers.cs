using System.Globalization;

namespace Pipeline.Workers.Manifests.Toml;

/// <summary>Reads integers and floats from a word whose end is already found.</summary>
internal static class TomlNumbers
{
    /// <summary>Reads the word as a number.</summary>
    /// <returns>The number, or null when the word is none, with the reason in <paramref name="problem"/>.</returns>
    public static TomlValue? Read(ReadOnlySpan<char> word, TomlSpan span, out string problem)
    {
        problem = "";
        var unsigned = word is ['+' or '-', ..] ? word[1..] : word;
        if (unsigned is "inf" or "nan")
            return new TomlFloat(Special(word), span);
        if (word is ['0', 'x' or 'o' or 'b', ..])
            return ReadPrefixed(word, span, out problem);
        return unsigned.ContainsAny(".eE") ? ReadFloat(word, span, out problem) : ReadDecimal(word, span, out problem);
    }

    private static double Special(ReadOnlySpan<char> word)
    {
        var value = word.EndsWith("inf") ? double.PositiveInfinity : double.NaN;
        return word[0] == '-' ? -value : value;
    }

    private static TomlInteger? ReadPrefixed(ReadOnlySpan<char> word, TomlSpan span, out string problem)
    {
        var shift = word[1] switch { 'x' => 4, 'o' => 3, _ => 1 };
        var digits = word[2..];
        problem = "expected digits of the base, with single underscores between them";
        if (!IsDigits(digits, 1 << shift))
            return null;
        var value = 0L;
        foreach (var digit in digits)
        {
            if (digit == '_')
                continue;
            if (value > long.MaxValue >> shift)
                return TooLarge(out problem);
            value = (value << shift) | (uint)HexValue(digit);
        }
        return new TomlInteger(value, span);
    }

    private static TomlInteger? ReadDecimal(ReadOnlySpan<char> word, TomlSpan span, out string problem)
    {
        var negative = word is ['-', ..];
        var digits = word is ['+' or '-', ..] ? word[1..] : word;
        if (!IsWholePart(digits, out problem))
            return null;
        // Counted downwards: the negative side is one larger.
        var value = 0L;
        foreach (var digit in digits)
        {
            if (digit == '_')
                continue;
            var next = digit - '0';
            if (value < (long.MinValue + next) / 10)
                return TooLarge(out problem);
            value = (value * 10) - next;
        }
        if (!negative && value == long.MinValue)
            return TooLarge(out problem);
        return new TomlInteger(negative ? value : -value, span);
    }

    private static TomlFloat? ReadFloat(ReadOnlySpan<char> word, TomlSpan span, out string problem)
    {
        if (!IsFloat(word, out problem))
            return null;
        // No underscores are left for the framework's reader, which knows none; its own grammar is wider than TOML's.
        var digits = new char[word.Length];
        var length = 0;
        foreach (var unit in word)
        {
            if (unit != '_')
                digits[length++] = unit;
        }
        var value = double.Parse(digits.AsSpan(0, length), NumberStyles.Float, CultureInfo.InvariantCulture);
        if (!double.IsInfinity(value))
            return new TomlFloat(value, span);
        problem = "the number is too large for a float of 64 bits";
        return null;
    }

    private static bool IsFloat(ReadOnlySpan<char> word, out string problem)
    {
        var rest = word is ['+' or '-', ..] ? word[1..] : word;
        var exponent = rest.IndexOfAny('e', 'E');
        var mantissa = exponent < 0 ? rest : rest[..exponent];
        var dot = mantissa.IndexOf('.');
        if (!IsWholePart(dot < 0 ? mantissa : mantissa[..dot], out problem))
            return false;
        problem = "expected digits after the decimal point, with single underscores between them";
        if (dot >= 0 && !IsDigits(mantissa[(dot + 1)..], 10))
            return false;
        problem = "expected digits in the exponent, with single underscores between them";
        return exponent < 0 || IsExponent(rest[(exponent + 1)..]);
    }

    private static bool IsExponent(ReadOnlySpan<char> exponent) => IsDigits(exponent is ['+' or '-', ..] ? exponent[1..] : exponent, 10);

    private static bool IsWholePart(ReadOnlySpan<char> digits, out string problem)
    {
        problem = digits is [>= '0' and <= '9', ..] ? "expected digits with single underscores between them" : TomlDocument.ExpectedValue;
        if (!IsDigits(digits, 10))
            return false;
        problem = "expected a number without leading zeros";
        return digits is not ['0', _, ..];
    }

    // Underscores stand between two digits, never beside each other or at an end.
    private static bool IsDigits(ReadOnlySpan<char> digits, int numberBase)
    {
        var afterDigit = false;
        foreach (var unit in digits)
        {
            if (unit != '_' && HexValue(unit) >= numberBase)
                return false;
            if (unit == '_' && !afterDigit)
                return false;
            afterDigit = unit != '_';
        }
        return afterDigit;
    }

    private static int HexValue(char unit) => unit switch
    {
        >= '0' and <= '9' => unit - '0',
        >= 'a' and <= 'f' => unit - 'a' + 10,
        >= 'A' and <= 'F' => unit - 'A' + 10,
        _ => int.MaxValue,
    };

    private static TomlInteger? TooLarge(out string problem)
    {
        problem = "the number is too large for an integer of 64 bits";
        return null;
    }
}
