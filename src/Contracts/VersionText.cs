namespace Pipeline.Contracts;

/// <summary>The lexical pieces that versions and version requirements share: numbers and dotted identifiers (SemVer 2.0.0 §2, §9, §10).</summary>
internal static class VersionText
{
    /// <summary>Reads an unsigned 64-bit number without leading zeros and moves past it; false leaves <paramref name="position"/> undefined.</summary>
    public static bool TryReadNumber(ReadOnlySpan<char> text, ref int position, out ulong value)
    {
        value = 0;
        var start = position;
        while (position < text.Length && char.IsAsciiDigit(text[position]))
        {
            var digit = (ulong)(text[position] - '0');
            // A number may not start with a zero unless it is zero, and must fit u64 as in Cargo.
            if ((position > start && value == 0) || value > (ulong.MaxValue - digit) / 10)
                return false;
            value = (value * 10) + digit;
            position++;
        }

        return position > start;
    }

    /// <summary>
    /// Moves past dot-separated identifiers of <c>[0-9A-Za-z-]</c>; false when there is none, one is empty, or one is a number with a
    /// leading zero where <paramref name="numbersAreNumeric"/> forbids that (pre-release, not build metadata).
    /// </summary>
    public static bool TrySkipIdentifiers(ReadOnlySpan<char> text, ref int position, bool numbersAreNumeric)
    {
        while (true)
        {
            var start = position;
            var onlyDigits = true;
            while (position < text.Length && (char.IsAsciiLetterOrDigit(text[position]) || text[position] == '-'))
            {
                onlyDigits &= char.IsAsciiDigit(text[position]);
                position++;
            }

            var length = position - start;
            if (length == 0 || (numbersAreNumeric && onlyDigits && length > 1 && text[start] == '0'))
                return false;
            if (position == text.Length || text[position] != '.')
                return true;
            position++;
        }
    }

    /// <summary>Pre-release precedence (SemVer §11); the empty pre-release, a full release, is the highest.</summary>
    public static int ComparePrerelease(ReadOnlySpan<char> left, ReadOnlySpan<char> right)
    {
        if (left.IsEmpty || right.IsEmpty)
            return right.Length.CompareTo(left.Length);
        return CompareIdentifiers(left, right);
    }

    /// <summary>Build metadata, ordered as Rust's semver orders it so that versions have a total order; none is the lowest.</summary>
    public static int CompareBuild(ReadOnlySpan<char> left, ReadOnlySpan<char> right)
    {
        if (left.IsEmpty || right.IsEmpty)
            return left.Length.CompareTo(right.Length);
        return CompareIdentifiers(left, right);
    }

    /// <summary>Takes the first identifier off a dotted list that is not empty.</summary>
    public static ReadOnlySpan<char> TakeIdentifier(ref ReadOnlySpan<char> rest)
    {
        var dot = rest.IndexOf('.');
        var identifier = dot < 0 ? rest : rest[..dot];
        rest = dot < 0 ? default : rest[(dot + 1)..];
        return identifier;
    }

    /// <summary>Whether an identifier counts as a number.</summary>
    public static bool IsNumeric(ReadOnlySpan<char> identifier) => !identifier.ContainsAnyExceptInRange('0', '9');

    private static int CompareIdentifiers(ReadOnlySpan<char> left, ReadOnlySpan<char> right)
    {
        while (!left.IsEmpty && !right.IsEmpty)
        {
            var order = CompareIdentifier(TakeIdentifier(ref left), TakeIdentifier(ref right));
            if (order != 0)
                return order;
        }

        // All shared identifiers are equal: the longer list is higher.
        return left.Length.CompareTo(right.Length);
    }

    private static int CompareIdentifier(ReadOnlySpan<char> left, ReadOnlySpan<char> right)
    {
        var leftIsNumeric = IsNumeric(left);
        if (leftIsNumeric != IsNumeric(right))
            return leftIsNumeric ? -1 : 1;
        if (!leftIsNumeric)
            return left.SequenceCompareTo(right);

        // Numbers of any length, compared without converting them; leading zeros (in build metadata only) decide last: 0 < 00 < 1 < 01 < 2.
        var leftDigits = left.TrimStart('0');
        var rightDigits = right.TrimStart('0');
        var order = leftDigits.Length.CompareTo(rightDigits.Length);
        if (order == 0)
            order = leftDigits.SequenceCompareTo(rightDigits);
        return order != 0 ? order : left.Length.CompareTo(right.Length);
    }
}
