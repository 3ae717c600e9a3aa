using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Pipeline.Contracts.Index;

/// <summary>The name git gives to a file's content.</summary>
public static class GitBlobId
{
    /// <summary>
    /// SHA-1 over <c>blob</c>, the length, a NUL and the bytes, as 40 lower-case hex digits: equal to what <c>git hash-object</c> prints, so
    /// an index file can be compared with the tip's without reading it back.
    /// </summary>
    public static string Of(ReadOnlySpan<byte> bytes)
    {
#pragma warning disable CA5350 // Git's object ids are SHA-1; nothing here rests on its strength.
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA1);
#pragma warning restore CA5350
        hash.AppendData(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"blob {bytes.Length}\0")));
        hash.AppendData(bytes);
        Span<byte> digest = stackalloc byte[SHA1.HashSizeInBytes];
        hash.GetHashAndReset(digest);
        return Convert.ToHexStringLower(digest);
    }
}
