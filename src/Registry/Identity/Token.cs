using System.Security.Cryptography;
using System.Text;
using Pipeline.Contracts;

namespace Pipeline.Registry.Identity;

/// <summary>The form of API tokens: <c>cio</c> and 32 random letters and digits (crates-io-behaviour §6.2), kept only as their SHA-256.</summary>
public static class Token
{
    /// <summary>What every token starts with, so that secret scanners can tell one.</summary>
    public const string Prefix = "cio";

    private const int RandomCharacters = 32;
    private const string Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

    /// <summary>A fresh token; 190 bits of it are random.</summary>
    public static Secret New() => new(Prefix + RandomNumberGenerator.GetString(Alphabet, RandomCharacters));

    /// <summary>What is stored of a token: the SHA-256 of the whole plaintext, prefix included.</summary>
    public static Checksum Hash(ReadOnlySpan<char> plaintext)
    {
        Span<byte> utf8 = stackalloc byte[256];
        return Encoding.UTF8.TryGetBytes(plaintext, utf8, out var written)
            ? Checksum.OfContent(utf8[..written])
            : Checksum.OfContent(Encoding.UTF8.GetBytes(plaintext.ToArray()));
    }
}
