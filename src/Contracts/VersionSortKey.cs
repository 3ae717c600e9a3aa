using System.Buffers.Binary;

namespace Pipeline.Contracts;

/// <summary>
/// The byte form of a version's precedence, so that SQL can sort versions with an ordinary index. A number is the count of its significant
/// bytes and then these, big-endian, so shorter means smaller. Then either one byte that outranks every pre-release, or the pre-release's
/// identifiers and an end byte that ranks below every identifier.
/// </summary>
/// <remarks>Stored keys are compared with new ones: a change here needs a migration that rewrites the column.</remarks>
internal static class VersionSortKey
{
    private const byte EndOfPrerelease = 0x00;
    private const byte NumericIdentifier = 0x01;
    private const byte TextIdentifier = 0x02;
    private const byte FullRelease = 0xff;
    private const byte LongNumber = 0xff;

    public static byte[] Of(CrateVersion version)
    {
        var key = new MemoryStream(16 + (2 * version.Prerelease.Length));
        WriteNumber(key, version.Major);
        WriteNumber(key, version.Minor);
        WriteNumber(key, version.Patch);
        if (!version.IsPrerelease)
        {
            key.WriteByte(FullRelease);
            return key.ToArray();
        }

        var rest = version.Prerelease;
        while (!rest.IsEmpty)
            WriteIdentifier(key, VersionText.TakeIdentifier(ref rest));
        key.WriteByte(EndOfPrerelease);
        return key.ToArray();
    }

    private static void WriteNumber(MemoryStream key, ulong number)
    {
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, number);
        var significant = bytes.TrimStart((byte)0);
        key.WriteByte((byte)significant.Length);
        key.Write(significant);
    }

    private static void WriteIdentifier(MemoryStream key, ReadOnlySpan<char> identifier)
    {
        var isNumeric = VersionText.IsNumeric(identifier);
        key.WriteByte(isNumeric ? NumericIdentifier : TextIdentifier);
        if (isNumeric)
            WriteDigitCount(key, identifier.Length);
        foreach (var c in identifier)
            key.WriteByte((byte)c);
        // Below every character of an identifier, so "a" sorts before "aa".
        if (!isNumeric)
            key.WriteByte(0x00);
    }

    private static void WriteDigitCount(MemoryStream key, int count)
    {
        if (count < LongNumber)
        {
            key.WriteByte((byte)count);
            return;
        }

        Span<byte> bytes = stackalloc byte[5];
        bytes[0] = LongNumber;
        BinaryPrimitives.WriteInt32BigEndian(bytes[1..], count);
        key.Write(bytes);
    }
}
