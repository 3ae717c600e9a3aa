using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text.Json.Serialization;

namespace Pipeline.Contracts;

/// <summary>The SHA-256 of a .crate: 32 bytes, written as 64 lower-case hex digits (crates-io-behaviour §3.1 <c>cksum</c>).</summary>
[JsonConverter(typeof(TextJsonConverter<Checksum>))]
public readonly record struct Checksum : IParsable<Checksum>
{
    /// <summary>Bytes of a checksum.</summary>
    public const int ByteLength = 32;

    private readonly UInt128 _high;
    private readonly UInt128 _low;

    private Checksum(ReadOnlySpan<byte> bytes)
    {
        _high = BinaryPrimitives.ReadUInt128BigEndian(bytes);
        _low = BinaryPrimitives.ReadUInt128BigEndian(bytes[16..]);
    }

    /// <summary>The checksum of these bytes.</summary>
    public static Checksum OfContent(ReadOnlySpan<byte> content)
    {
        Span<byte> hash = stackalloc byte[ByteLength];
        SHA256.HashData(content, hash);
        return new Checksum(hash);
    }

    /// <summary>Takes the 32 bytes of a finished SHA-256; any other length is an <see cref="ArgumentException"/>.</summary>
    public static Checksum FromBytes(ReadOnlySpan<byte> hash)
    {
        if (hash.Length != ByteLength)
            throw new ArgumentException($"a SHA-256 has {ByteLength} bytes, not {hash.Length}", nameof(hash));
        return new Checksum(hash);
    }

    /// <summary>Reads 64 lower-case hex digits.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out Checksum checksum)
    {
        checksum = default;
        Span<byte> bytes = stackalloc byte[ByteLength];
        // One spelling only: checksums are compared as text elsewhere.
        if (text?.Length != 2 * ByteLength || text.AsSpan().ContainsAnyInRange('A', 'F')
            || Convert.FromHexString(text, bytes, out _, out _) != System.Buffers.OperationStatus.Done)
        {
            return false;
        }

        checksum = new Checksum(bytes);
        return true;
    }

    /// <inheritdoc/>
    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, out Checksum result) => TryParse(s, out result);

    /// <inheritdoc cref="IParsable{TSelf}.Parse"/>
    public static Checksum Parse(string s, IFormatProvider? provider = null) =>
        TryParse(s, out var checksum) ? checksum : throw new FormatException("a checksum is 64 lower-case hex digits");

    /// <summary>The 32 bytes.</summary>
    public byte[] ToBytes()
    {
        var bytes = new byte[ByteLength];
        CopyTo(bytes);
        return bytes;
    }

    /// <summary>Writes the 32 bytes to the start of <paramref name="destination"/>.</summary>
    public void CopyTo(Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt128BigEndian(destination, _high);
        BinaryPrimitives.WriteUInt128BigEndian(destination[16..], _low);
    }

    /// <summary>64 lower-case hex digits.</summary>
    public override string ToString()
    {
        Span<byte> bytes = stackalloc byte[ByteLength];
        CopyTo(bytes);
        return Convert.ToHexStringLower(bytes);
    }
}
