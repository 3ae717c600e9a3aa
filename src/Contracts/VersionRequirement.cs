using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization;

namespace Pipeline.Contracts;

/// <summary>
/// A dependency's version requirement, read and printed as Rust's semver 1.0 does (crates-io-behaviour §1.9), so that index lines hold the
/// same text as crates.io would write.
/// </summary>
[JsonConverter(typeof(TextJsonConverter<VersionRequirement>))]
public sealed class VersionRequirement : IEquatable<VersionRequirement>, IParsable<VersionRequirement>
{
    /// <summary>The most comparators of one requirement.</summary>
    public const int MaxComparators = 32;

    private readonly VersionComparator[] _comparators;

    private VersionRequirement(VersionComparator[] comparators)
    {
        _comparators = comparators;
        Text = comparators.Length switch
        {
            0 => "*",
            1 => comparators[0].ToString(),
            _ => string.Join(", ", comparators),
        };
    }

    /// <summary>The bare wildcard: every version that is no pre-release.</summary>
    public static VersionRequirement Any { get; } = new([]);

    /// <summary>The normalised text, such as <c>^1.2, &lt;1.5</c>.</summary>
    public string Text { get; }

    /// <summary>Whether it is the bare wildcard (<c>*</c>, <c>x</c> or <c>X</c>); <c>1.*</c> is not.</summary>
    public bool IsWildcard => _comparators.Length == 0;

    /// <summary>Reads a requirement; false when the text is none.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, [NotNullWhen(true)] out VersionRequirement? requirement)
    {
        requirement = text is null ? null : Read(text);
        return requirement is not null;
    }

    /// <inheritdoc/>
    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, [MaybeNullWhen(false)] out VersionRequirement result) =>
        TryParse(s, out result);

    /// <inheritdoc cref="IParsable{TSelf}.Parse"/>
    public static VersionRequirement Parse(string s, IFormatProvider? provider = null) =>
        TryParse(s, out var requirement) ? requirement : throw new FormatException($"\"{s}\" is an invalid version requirement");

    /// <summary>
    /// Whether a version satisfies it. A pre-release does only if some comparator names a pre-release of the same three numbers.
    /// </summary>
    public bool Matches(CrateVersion version)
    {
        ArgumentNullException.ThrowIfNull(version);
        var admitted = !version.IsPrerelease;
        foreach (var comparator in _comparators)
        {
            if (!comparator.Matches(version))
                return false;
            admitted |= comparator.AdmitsPrereleaseOf(version);
        }

        return admitted;
    }

    /// <inheritdoc/>
    public bool Equals(VersionRequirement? other) => other is not null && Text == other.Text;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as VersionRequirement);

    /// <inheritdoc/>
    public override int GetHashCode() => string.GetHashCode(Text, StringComparison.Ordinal);

    /// <inheritdoc/>
    public override string ToString() => Text;

    private static VersionRequirement? Read(string text)
    {
        // Only the space is skipped, as in Rust: a tab or a line break makes the requirement invalid.
        var position = 0;
        SkipSpaces(text, ref position);
        if (IsWildcardAt(text, position))
        {
            position++;
            SkipSpaces(text, ref position);
            return position == text.Length ? Any : null;
        }

        if (!TryReadComparator(text, ref position, out var first))
            return null;
        if (position == text.Length)
            return new VersionRequirement([first]);

        var all = new List<VersionComparator> { first };
        while (position < text.Length)
        {
            if (text[position] != ',' || all.Count == MaxComparators)
                return null;
            position++;
            SkipSpaces(text, ref position);
            if (!TryReadComparator(text, ref position, out var comparator))
                return null;
            all.Add(comparator);
        }

        return new VersionRequirement([.. all]);
    }

    private static bool TryReadComparator(string text, ref int position, out VersionComparator comparator)
    {
        comparator = default;
        var start = position;
        var op = ReadOperator(text, ref position);
        var isImplicit = position == start;
        SkipSpaces(text, ref position);
        if (!VersionText.TryReadNumber(text, ref position, out var major)
            || !TryReadPart(text, ref position, out var minor, out var minorIsWildcard)
            || !TryReadPart(text, ref position, out var patch, out var patchIsWildcard)
            || (minorIsWildcard && patch is not null)
            || !TryReadTail(text, ref position, allowed: patch is not null, out var prerelease))
        {
            return false;
        }

        SkipSpaces(text, ref position);
        // A wildcard behind a written operator just leaves the number out: >=1.* is >=1.
        if (isImplicit && (minorIsWildcard || patchIsWildcard))
            op = VersionOperator.Wildcard;
        comparator = new VersionComparator(op, major, minor, patch, prerelease);
        return true;
    }

    private static VersionOperator ReadOperator(string text, ref int position)
    {
        var first = position < text.Length ? text[position] : '\0';
        var orEqual = first is '<' or '>' && position + 1 < text.Length && text[position + 1] == '=';
        if (first is '=' or '>' or '<' or '~' or '^')
            position += orEqual ? 2 : 1;
        return first switch
        {
            '=' => VersionOperator.Exact,
            '>' => orEqual ? VersionOperator.GreaterOrEqual : VersionOperator.Greater,
            '<' => orEqual ? VersionOperator.LessOrEqual : VersionOperator.Less,
            '~' => VersionOperator.Tilde,
            _ => VersionOperator.Caret,
        };
    }

    /// <summary>Reads <c>.NUMBER</c> or <c>.*</c>, or nothing at all.</summary>
    private static bool TryReadPart(string text, ref int position, out ulong? number, out bool isWildcard)
    {
        (number, isWildcard) = (null, false);
        if (position == text.Length || text[position] != '.')
            return true;
        position++;
        if (IsWildcardAt(text, position))
        {
            isWildcard = true;
            position++;
            return true;
        }

        if (!VersionText.TryReadNumber(text, ref position, out var value))
            return false;
        number = value;
        return true;
    }

    /// <summary>Reads the pre-release and skips the build metadata, which a requirement does not keep.</summary>
    private static bool TryReadTail(string text, ref int position, bool allowed, out string prerelease)
    {
        prerelease = "";
        if (allowed && position < text.Length && text[position] == '-')
        {
            var start = ++position;
            if (!VersionText.TrySkipIdentifiers(text, ref position, numbersAreNumeric: true))
                return false;
            prerelease = text[start..position];
        }

        if (allowed && position < text.Length && text[position] == '+')
        {
            position++;
            return VersionText.TrySkipIdentifiers(text, ref position, numbersAreNumeric: false);
        }

        return true;
    }

    private static bool IsWildcardAt(string text, int position) => position < text.Length && text[position] is '*' or 'x' or 'X';

    private static void SkipSpaces(string text, ref int position)
    {
        while (position < text.Length && text[position] == ' ')
            position++;
    }
}
