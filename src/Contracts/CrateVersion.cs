using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization;

namespace Pipeline.Contracts;

/// <summary>
/// A version number as Cargo reads it: SemVer 2.0.0 with unsigned 64-bit numbers (crates-io-behaviour §1.6). Its text has one spelling only,
/// so equal text, equal value and "compares as equal" are the same thing.
/// </summary>
[JsonConverter(typeof(TextJsonConverter<CrateVersion>))]
public sealed class CrateVersion : IEquatable<CrateVersion>, IComparable<CrateVersion>, IParsable<CrateVersion>
{
    /// <summary>The most characters a published version may have, build metadata included.</summary>
    public const int MaxPublishedLength = 150;

    private readonly int _prereleaseStart;
    private readonly int _coreEnd;

    private CrateVersion(string text, ulong major, ulong minor, ulong patch, int prereleaseStart, int coreEnd)
    {
        (Text, Major, Minor, Patch) = (text, major, minor, patch);
        (_prereleaseStart, _coreEnd) = (prereleaseStart, coreEnd);
    }

    /// <summary>The version's one spelling, build metadata included.</summary>
    public string Text { get; }

    /// <summary>The first number.</summary>
    public ulong Major { get; }

    /// <summary>The second number.</summary>
    public ulong Minor { get; }

    /// <summary>The third number.</summary>
    public ulong Patch { get; }

    /// <summary>The pre-release identifiers without <c>-</c>; empty for a full release.</summary>
    public ReadOnlySpan<char> Prerelease => Text.AsSpan(_prereleaseStart, _coreEnd - _prereleaseStart);

    /// <summary>The build metadata without <c>+</c>; empty when there is none.</summary>
    public ReadOnlySpan<char> Build => _coreEnd == Text.Length ? default : Text.AsSpan(_coreEnd + 1);

    /// <summary>Whether it is a pre-release.</summary>
    public bool IsPrerelease => _prereleaseStart < _coreEnd;

    /// <summary>The text without build metadata: the number that is taken once published, whatever metadata came with it.</summary>
    public string WithoutBuild => _coreEnd == Text.Length ? Text : Text[.._coreEnd];

    /// <summary>Reads a version of any length; false when the text is none.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, [NotNullWhen(true)] out CrateVersion? version)
    {
        version = null;
        if (text is null)
            return false;

        var position = 0;
        if (!VersionText.TryReadNumber(text, ref position, out var major) || !TrySkip(text, ref position, '.')
            || !VersionText.TryReadNumber(text, ref position, out var minor) || !TrySkip(text, ref position, '.')
            || !VersionText.TryReadNumber(text, ref position, out var patch))
        {
            return false;
        }

        var prereleaseStart = position;
        if (TrySkip(text, ref position, '-'))
        {
            prereleaseStart = position;
            if (!VersionText.TrySkipIdentifiers(text, ref position, numbersAreNumeric: true))
                return false;
        }

        var coreEnd = position;
        if (TrySkip(text, ref position, '+') && !VersionText.TrySkipIdentifiers(text, ref position, numbersAreNumeric: false))
            return false;
        if (position != text.Length)
            return false;

        version = new CrateVersion(text, major, minor, patch, prereleaseStart, coreEnd);
        return true;
    }

    /// <summary>Reads the version of a publish, or says why it is refused (crates-io-behaviour §1.4 rows 6 and 7).</summary>
    public static bool TryParsePublished(string? text, [NotNullWhen(true)] out CrateVersion? version, [NotNullWhen(false)] out Reject? reject)
    {
        reject = null;
        if (!TryParse(text, out version))
            reject = new Reject(RejectCodes.InvalidVersion, 400, $"\"{text}\" is an invalid semver version");
        else if (version.Text.Length > MaxPublishedLength)
            reject = new Reject(RejectCodes.InvalidVersion, 400, $"the version number is too long (max {MaxPublishedLength} characters)");
        if (reject is not null)
            version = null;
        return version is not null;
    }

    /// <inheritdoc/>
    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, [MaybeNullWhen(false)] out CrateVersion result) =>
        TryParse(s, out result);

    /// <inheritdoc cref="IParsable{TSelf}.Parse"/>
    public static CrateVersion Parse(string s, IFormatProvider? provider = null) =>
        TryParse(s, out var version) ? version : throw new FormatException($"\"{s}\" is an invalid semver version");

    /// <summary>SemVer precedence: build metadata does not count, so two different versions may rank the same.</summary>
    public int ComparePrecedence(CrateVersion other)
    {
        ArgumentNullException.ThrowIfNull(other);
        var order = Major.CompareTo(other.Major);
        if (order == 0)
            order = Minor.CompareTo(other.Minor);
        if (order == 0)
            order = Patch.CompareTo(other.Patch);
        return order != 0 ? order : VersionText.ComparePrerelease(Prerelease, other.Prerelease);
    }

    /// <summary>The total order of Rust's semver crate: precedence, then build metadata.</summary>
    public int CompareTo(CrateVersion? other)
    {
        if (other is null)
            return 1;
        var order = ComparePrecedence(other);
        return order != 0 ? order : VersionText.CompareBuild(Build, other.Build);
    }

    /// <summary>Bytes that sort, compared as unsigned bytes, as <see cref="ComparePrecedence"/> does: for a BLOB or bytea column.</summary>
    public byte[] ToSortKey() => VersionSortKey.Of(this);

    /// <inheritdoc/>
    public bool Equals(CrateVersion? other) => other is not null && Text == other.Text;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as CrateVersion);

    /// <inheritdoc/>
    public override int GetHashCode() => string.GetHashCode(Text, StringComparison.Ordinal);

    /// <inheritdoc/>
    public override string ToString() => Text;

    /// <summary>Value equality.</summary>
    public static bool operator ==(CrateVersion? left, CrateVersion? right) => left is null ? right is null : left.Equals(right);

    /// <summary>Value inequality.</summary>
    public static bool operator !=(CrateVersion? left, CrateVersion? right) => !(left == right);

    /// <summary>By <see cref="CompareTo"/>.</summary>
    public static bool operator <(CrateVersion left, CrateVersion right) => left.CompareTo(right) < 0;

    /// <summary>By <see cref="CompareTo"/>.</summary>
    public static bool operator >(CrateVersion left, CrateVersion right) => left.CompareTo(right) > 0;

    /// <summary>By <see cref="CompareTo"/>.</summary>
    public static bool operator <=(CrateVersion left, CrateVersion right) => left.CompareTo(right) <= 0;

    /// <summary>By <see cref="CompareTo"/>.</summary>
    public static bool operator >=(CrateVersion left, CrateVersion right) => left.CompareTo(right) >= 0;

    private static bool TrySkip(string text, ref int position, char c)
    {
        if (position == text.Length || text[position] != c)
            return false;
        position++;
        return true;
    }
}
