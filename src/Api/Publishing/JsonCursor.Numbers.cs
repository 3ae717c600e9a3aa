using System.Globalization;

namespace Pipeline.Api.Publishing;

// A number is never wanted in the publish JSON; it is only read to be named in an error. serde_json keeps it as an integer while it fits
// 64 bits and else as a double, which it computes with one rounding more than a correct reader would. So does this.
internal ref partial struct JsonCursor
{
    /// <summary>Reads a number behind its sign and says what it is: <c>integer `1`</c>, <c>floating point `1.5`</c>.</summary>
    private bool DescribeNumber(bool negative, out string description)
    {
        description = "";
        var first = Next();
        if (first == End)
            return Fail(JsonTexts.EofValue);
        if (!IsDigit(first))
            return Fail(JsonTexts.InvalidNumber);
        if (first == '0' && IsDigit(Peek()))
            return FailNext(JsonTexts.InvalidNumber);

        var significand = (ulong)(first - '0');
        TakeDigits(ref significand);
        var exponent = TakeDigits();
        var isFloat = exponent > 0;
        if (Peek() == '.')
        {
            isFloat = true;
            if (!TakeFraction(ref significand, ref exponent))
                return false;
        }

        if (Peek() is 'e' or 'E')
        {
            isFloat = true;
            if (!TakeExponent(significand, ref exponent))
                return false;
        }

        // Minus nought and what is below the least 64-bit integer are doubles too.
        var fits = !negative || (significand != 0 && significand <= 1UL << 63);
        if (!isFloat && fits)
        {
            description = string.Create(CultureInfo.InvariantCulture, $"integer `{(negative ? "-" : "")}{significand}`");
            return true;
        }

        if (!TryScale(significand, exponent, out var value))
            return Fail(JsonTexts.NumberOutOfRange);
        description = $"floating point `{Decimal(negative ? -value : value)}`";
        return true;
    }

    /// <summary>Takes digits into the significand while it fits; returns how many.</summary>
    private int TakeDigits(ref ulong significand)
    {
        var start = Index;
        while (IsDigit(Peek()))
        {
            var digit = (ulong)(Peek() - '0');
            if (significand > (ulong.MaxValue - digit) / 10)
                break;
            significand = (significand * 10) + digit;
            Take();
        }

        return Index - start;
    }

    private bool TakeFraction(ref ulong significand, ref int exponent)
    {
        Take();
        var start = Index;
        exponent -= TakeDigits(ref significand);
        TakeDigits();
        // A digit that overflows right behind the point counts as one; none at all is an error.
        return Index > start || (Peek() == End ? FailNext(JsonTexts.EofValue) : FailNext(JsonTexts.InvalidNumber));
    }

    private bool TakeExponent(ulong significand, ref int exponent)
    {
        Take();
        var negative = Peek() == '-';
        if (Peek() is '+' or '-')
            Take();
        var first = Next();
        if (first == End)
            return Fail(JsonTexts.EofValue);
        if (!IsDigit(first))
            return Fail(JsonTexts.InvalidNumber);

        long power = first - '0';
        while (IsDigit(Peek()))
        {
            power = (power * 10) + (Peek() - '0');
            Take();
            if (power <= int.MaxValue)
                continue;
            if (significand != 0 && !negative)
                return Fail(JsonTexts.NumberOutOfRange);
            TakeDigits();
            power = int.MaxValue;
        }

        exponent = (int)Math.Clamp(exponent + (negative ? -power : power), int.MinValue, int.MaxValue);
        return true;
    }

    private static bool TryScale(ulong significand, int exponent, out double value)
    {
        value = significand;
        while (exponent < -308 && value != 0)
        {
            value /= 1e308;
            exponent += 308;
        }

        if (value == 0)
            return true;
        if (exponent > 308)
            return false;
        var power = double.Parse(string.Create(CultureInfo.InvariantCulture, $"1e{Math.Abs(exponent)}"), CultureInfo.InvariantCulture);
        value = exponent < 0 ? value / power : value * power;
        return double.IsFinite(value);
    }

    /// <summary>The shortest digits that read back as the same double, written out, with at least one after the point.</summary>
    private static string Decimal(double value)
    {
        var text = value.ToString("R", CultureInfo.InvariantCulture);
        var e = text.IndexOf('E', StringComparison.Ordinal);
        if (e >= 0)
            text = WrittenOut(text[..e], int.Parse(text.AsSpan(e + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture));
        return text.Contains('.', StringComparison.Ordinal) ? text : text + ".0";
    }

    private static string WrittenOut(string mantissa, int exponent)
    {
        var sign = mantissa.StartsWith('-') ? "-" : "";
        var digits = mantissa.Replace("-", "", StringComparison.Ordinal).Replace(".", "", StringComparison.Ordinal);
        var point = exponent + 1;
        if (point <= 0)
            return $"{sign}0.{new string('0', -point)}{digits}";
        return point >= digits.Length
            ? sign + digits.PadRight(point, '0')
            : $"{sign}{digits[..point]}.{digits[point..]}";
    }
}
