using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization;

namespace Pipeline.Contracts;

/// <summary>The id of one publish: a UUIDv7 (RFC 9562 §5.7), so ids sort roughly by time. Written in lower case with hyphens.</summary>
[JsonConverter(typeof(TextJsonConverter<PublishId>))]
public readonly record struct PublishId : IParsable<PublishId>, IComparable<PublishId>
{
    private PublishId(Guid value) => Value = value;

    /// <summary>The id as a UUID.</summary>
    public Guid Value { get; }

    /// <summary>A fresh id with the present time in it.</summary>
    public static PublishId New() => new(Guid.CreateVersion7());

    /// <summary>A fresh id with a given time in it, of millisecond precision.</summary>
    public static PublishId New(DateTimeOffset at) => new(Guid.CreateVersion7(at));

    /// <summary>Reads the one spelling that <see cref="ToString"/> writes.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out PublishId id)
    {
        id = default;
        if (!Guid.TryParseExact(text, "D", out var value) || value.Version != 7 || value.ToString("D") != text)
            return false;
        id = new PublishId(value);
        return true;
    }

    /// <inheritdoc/>
    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, out PublishId result) => TryParse(s, out result);

    /// <inheritdoc cref="IParsable{TSelf}.Parse"/>
    public static PublishId Parse(string s, IFormatProvider? provider = null) =>
        TryParse(s, out var id) ? id : throw new FormatException("a publish id is a lower-case UUIDv7");

    /// <summary>By the UUID's text, which is by time.</summary>
    public int CompareTo(PublishId other) => Value.CompareTo(other.Value);

    /// <inheritdoc/>
    public override string ToString() => Value.ToString("D");

    /// <summary>By <see cref="CompareTo"/>.</summary>
    public static bool operator <(PublishId left, PublishId right) => left.CompareTo(right) < 0;

    /// <summary>By <see cref="CompareTo"/>.</summary>
    public static bool operator >(PublishId left, PublishId right) => left.CompareTo(right) > 0;

    /// <summary>By <see cref="CompareTo"/>.</summary>
    public static bool operator <=(PublishId left, PublishId right) => left.CompareTo(right) <= 0;

    /// <summary>By <see cref="CompareTo"/>.</summary>
    public static bool operator >=(PublishId left, PublishId right) => left.CompareTo(right) >= 0;
}
