using System.Text;

namespace Pipeline.Workers.Manifests.Urls;

/// <summary>Punycode (RFC 3492), read only to know whether it can be read.</summary>
internal static class Punycode
{
    private const int Base = 36;
    private const int MinThreshold = 1;
    private const int MaxThreshold = 26;

    /// <summary>Whether the text behind <c>xn--</c> decodes, and to characters that are all allowed.</summary>
    public static bool IsValid(ReadOnlySpan<char> encoded, Predicate<Rune> isAllowed)
    {
        var delimiter = encoded.LastIndexOf('-');
        var count = Math.Max(delimiter, 0);
        var rest = encoded[(delimiter + 1)..];
        if (encoded.IsEmpty)
            return false;

        var (codePoint, index, bias) = (128, 0, 72);
        while (!rest.IsEmpty)
        {
            if (!TryReadDelta(ref rest, bias, out var delta))
                return false;
            count++;
            bias = Adapt(delta, count, isFirst: index == 0 && codePoint == 128);
            var step = (long)index + delta;
            if (step / count > 0x10FFFF - codePoint)
                return false;
            codePoint += (int)(step / count);
            index = (int)(step % count) + 1;
            if (!Rune.TryCreate(codePoint, out var character) || !isAllowed(character))
                return false;
        }

        return true;
    }

    /// <summary>Reads one number of variable length (RFC 3492 §3.3).</summary>
    private static bool TryReadDelta(ref ReadOnlySpan<char> rest, int bias, out int delta)
    {
        delta = 0;
        long weight = 1;
        for (var k = Base; !rest.IsEmpty; k += Base)
        {
            var digit = char.IsAsciiDigit(rest[0]) ? rest[0] - '0' + 26 : char.IsAsciiLetter(rest[0]) ? (rest[0] | 0x20) - 'a' : Base;
            rest = rest[1..];
            var sum = delta + (digit * weight);
            if (digit == Base || sum > int.MaxValue)
                return false;
            delta = (int)sum;
            var threshold = Math.Clamp(k - bias, MinThreshold, MaxThreshold);
            if (digit < threshold)
                return true;
            weight *= Base - threshold;
            if (weight > int.MaxValue)
                return false;
        }

        return false;
    }

    private static int Adapt(int delta, int count, bool isFirst)
    {
        delta = isFirst ? delta / 700 : delta / 2;
        delta += delta / count;
        var k = 0;
        for (; delta > (Base - MinThreshold) * MaxThreshold / 2; k += Base)
            delta /= Base - MinThreshold;
        return k + ((Base - MinThreshold + 1) * delta / (delta + 38));
    }
}
