using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Unicode;

namespace Pipeline.Workers.Manifests.Toml;

/// <summary>
/// Reads TOML 1.1.0. Input may be hostile: time and memory are linear in its length, depth is bounded
/// (128 levels), and nothing is thrown for any input.
/// </summary>
public static class TomlParser
{
    /// <summary>Reads a document from UTF-8, as files hold it.</summary>
    /// <param name="utf8">The bytes; a byte order mark may stand first.</param>
    /// <param name="root">The root table on success.</param>
    /// <param name="error">The first error otherwise; its offsets count UTF-16 code units of the decoded text.</param>
    /// <returns>Whether the bytes are a valid document.</returns>
    public static bool TryParse(ReadOnlySpan<byte> utf8, [NotNullWhen(true)] out TomlTable? root, [NotNullWhen(false)] out TomlError? error)
    {
        root = null;
        return TryDecode(utf8, out var text, out error) && TryParse(text, out root, out error);
    }

    /// <summary>Reads a document.</summary>
    /// <param name="text">The text; a byte order mark may stand first. A lone surrogate is an error.</param>
    /// <param name="root">The root table on success.</param>
    /// <param name="error">The first error otherwise.</param>
    /// <returns>Whether the text is a valid document.</returns>
    public static bool TryParse(string text, [NotNullWhen(true)] out TomlTable? root, [NotNullWhen(false)] out TomlError? error)
    {
        ArgumentNullException.ThrowIfNull(text);
        var scanner = new TomlScanner(text);
        root = HasNoLoneSurrogate(scanner) ? new TomlDocument(scanner).Read() : null;
        error = scanner.Error;
        return root is not null;
    }

    /// <summary>Turns the bytes of a document into its text.</summary>
    /// <param name="utf8">The bytes; a byte order mark is kept.</param>
    /// <param name="text">The text on success.</param>
    /// <param name="error">Otherwise where the bytes are not UTF-8.</param>
    /// <returns>Whether the bytes are UTF-8.</returns>
    public static bool TryDecode(ReadOnlySpan<byte> utf8, [NotNullWhen(true)] out string? text, [NotNullWhen(false)] out TomlError? error)
    {
        var valid = Utf8.IsValid(utf8);
        text = valid ? Encoding.UTF8.GetString(utf8) : null;
        error = valid ? null : InvalidUtf8(utf8);
        return valid;
    }

    private static TomlError InvalidUtf8(ReadOnlySpan<byte> utf8)
    {
        var decoded = new char[utf8.Length];
        Utf8.ToUtf16(utf8, decoded, out _, out var valid, replaceInvalidSequences: false);
        return new TomlError(Encoding.UTF8.GetString(utf8), "expected UTF-8, found bytes that are not", new TomlSpan(valid, valid + 1));
    }

    private static bool HasNoLoneSurrogate(TomlScanner scanner)
    {
        var text = scanner.Text;
        var first = text.AsSpan().IndexOfAnyInRange('\uD800', '\uDFFF');
        for (var at = first; at >= 0 && at < text.Length; at++)
        {
            if (!char.IsSurrogate(text[at]))
                continue;
            if (at + 1 == text.Length || !char.IsSurrogatePair(text[at], text[at + 1]))
                return scanner.Fail("expected Unicode text, found half of a surrogate pair", new TomlSpan(at, at + 1));
            at++;
        }
        return true;
    }
}
