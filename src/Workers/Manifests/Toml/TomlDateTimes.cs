namespace Pipeline.Workers.Manifests.Toml;

/// <summary>Reads dates and times from a word whose end is already found.</summary>
internal static class TomlDateTimes
{
    /// <summary>Whether the word starts as a date does: four digits and a hyphen.</summary>
    public static bool StartsAsDate(ReadOnlySpan<char> word) => word.Length > 4 && word[4] == '-' && AreDigits(word[..4]);

    /// <summary>Whether the word starts as a time does: two digits and a colon.</summary>
    public static bool StartsAsTime(ReadOnlySpan<char> word) => word.Length > 2 && word[2] == ':' && AreDigits(word[..2]);

    /// <summary>Reads the word, which starts as a date or a time.</summary>
    /// <returns>The value, or null when it is not one that exists, with the reason in <paramref name="problem"/>.</returns>
    public static TomlDateTime? Read(ReadOnlySpan<char> word, TomlSpan span, out string problem)
    {
        var rest = word;
        TomlDate? date = null;
        if (StartsAsDate(word))
        {
            date = ReadDate(ref rest);
            problem = "expected a date that exists, as `1979-05-27`";
            if (date is null)
                return null;
            if (rest.IsEmpty)
                return new TomlDateTime(date, null, null, span);
            problem = "expected `T` or a space between date and time";
            if (rest[0] is not ('T' or 't' or ' '))
                return null;
            rest = rest[1..];
        }

        problem = "expected a time that exists, as `07:32:00`";
        if (ReadTime(ref rest) is not { } time)
            return null;
        if (rest.IsEmpty)
            return new TomlDateTime(date, time, null, span);
        problem = date is null ? "expected a local time to end after its seconds" : "expected `Z` or an offset that exists, as `+01:00`";
        return date is not null && ReadOffset(rest) is { } offset ? new TomlDateTime(date, time, offset, span) : null;
    }

    private static TomlDate? ReadDate(ref ReadOnlySpan<char> rest)
    {
        if (rest.Length < 10 || rest[7] != '-' || !AreDigits(rest[5..7]) || !AreDigits(rest[8..10]))
            return null;
        var (year, month, day) = (Number(rest[..4]), Number(rest[5..7]), Number(rest[8..10]));
        rest = rest[10..];
        return month is >= 1 and <= 12 && day >= 1 && day <= DaysIn(year, month) ? new TomlDate(year, month, day) : null;
    }

    // The year 0, which DateTime does not know, is a leap year as 2000 is.
    private static int DaysIn(int year, int month) => DateTime.DaysInMonth(year == 0 ? 2000 : year, month);

    private static TomlTime? ReadTime(ref ReadOnlySpan<char> rest)
    {
        if (rest.Length < 5 || rest[2] != ':' || !AreDigits(rest[..2]) || !AreDigits(rest[3..5]))
            return null;
        var (hour, minute, second, nanosecond) = (Number(rest[..2]), Number(rest[3..5]), 0, 0);
        rest = rest[5..];
        if (rest is [':', ..] && !ReadSeconds(ref rest, out second, out nanosecond))
            return null;
        return hour <= 23 && minute <= 59 && second <= 60 ? new TomlTime(hour, minute, second, nanosecond) : null;
    }

    private static bool ReadSeconds(ref ReadOnlySpan<char> rest, out int second, out int nanosecond)
    {
        (second, nanosecond) = (0, 0);
        if (rest.Length < 3 || !AreDigits(rest[1..3]))
            return false;
        second = Number(rest[1..3]);
        rest = rest[3..];
        return rest is not ['.', ..] || ReadFraction(ref rest, out nanosecond);
    }

    private static bool ReadFraction(ref ReadOnlySpan<char> rest, out int nanosecond)
    {
        nanosecond = 0;
        var length = rest[1..].IndexOfAnyExceptInRange('0', '9');
        var digits = length < 0 ? rest[1..] : rest[1..(length + 1)];
        for (var at = 0; at < 9; at++)
            nanosecond = (nanosecond * 10) + (at < digits.Length ? digits[at] - '0' : 0);
        rest = rest[(digits.Length + 1)..];
        return !digits.IsEmpty;
    }

    private static int? ReadOffset(ReadOnlySpan<char> rest)
    {
        if (rest is "Z" or "z")
            return 0;
        if (rest.Length != 6 || rest[0] is not ('+' or '-') || rest[3] != ':' || !AreDigits(rest[1..3]) || !AreDigits(rest[4..]))
            return null;
        var (hours, minutes) = (Number(rest[1..3]), Number(rest[4..]));
        if (hours > 23 || minutes > 59)
            return null;
        return (rest[0] == '-' ? -1 : 1) * ((hours * 60) + minutes);
    }

    private static bool AreDigits(ReadOnlySpan<char> text) => !text.ContainsAnyExceptInRange('0', '9');

    private static int Number(ReadOnlySpan<char> digits)
    {
        var value = 0;
        foreach (var digit in digits)
            value = (value * 10) + (digit - '0');
        return value;
    }
}
