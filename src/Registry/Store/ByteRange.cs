namespace Pipeline.Registry.Store;

/// <summary>One range of an object's bytes (RFC 9110 §14.1.2).</summary>
/// <param name="First">The first byte, from 0; null: the range is the last <paramref name="Last"/> bytes.</param>
/// <param name="Last">The last byte, included; null: to the end.</param>
public readonly record struct ByteRange(long? First, long? Last)
{
    /// <summary>Which bytes of an object of this length it names. A count of 0: none, it cannot be satisfied.</summary>
    public (long Offset, long Count) Within(long length)
    {
        if (First is not { } first)
        {
            var suffix = Math.Min(Last ?? 0, length);
            return (length - suffix, suffix);
        }

        if (first >= length) return (length, 0);
        var last = Math.Min(Last ?? long.MaxValue, length - 1);
        return (first, last - first + 1);
    }

    /// <summary>The value of a <c>Range</c> header.</summary>
    public override string ToString() => $"bytes={First}-{Last}";
}
