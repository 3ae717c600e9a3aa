using System.Diagnostics.CodeAnalysis;
using Pipeline.Contracts;

namespace Pipeline.Registry.Identity;

/// <summary>Reads an <c>Authorization</c> header: the bare token that cargo sends, or <c>Bearer</c> and the token.</summary>
public static class AuthorizationHeader
{
    /// <summary>The token of a header, or why there is none. Whether the token is known is not asked.</summary>
    /// <param name="value">The header, its bytes as Latin-1; null: not sent.</param>
    /// <param name="token">The token.</param>
    /// <param name="reject">Why not.</param>
    public static bool TryRead(string? value, [NotNullWhen(true)] out string? token, [NotNullWhen(false)] out Reject? reject)
    {
        token = null;
        reject = Check(value, out var text);
        if (reject is null) token = text.ToString();
        return reject is null;
    }

    private static Reject? Check(string? value, out ReadOnlySpan<char> token)
    {
        token = default;
        if (value is null) return IdentityTexts.Anonymous;
        if (!IsVisible(value)) return IdentityTexts.NonAscii;

        var space = value.IndexOf(' ', StringComparison.Ordinal);
        var scheme = space < 0 ? default : value.AsSpan(0, space);
        if (!scheme.IsEmpty && !scheme.Equals("Bearer", StringComparison.OrdinalIgnoreCase)) return IdentityTexts.WrongScheme(scheme.ToString());

        token = value.AsSpan(space + 1).Trim(" \t");
        return token.StartsWith(Token.Prefix, StringComparison.Ordinal) ? null : IdentityTexts.WrongFormat;
    }

    private static bool IsVisible(string value)
    {
        foreach (var c in value)
        {
            if (c is not ('\t' or >= ' ' and <= '~')) return false;
        }

        return true;
    }
}
