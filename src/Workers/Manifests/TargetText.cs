using System.Text;

namespace Pipeline.Workers.Manifests;

/// <summary>
/// The platform of a dependency, spaced as cargo prints it: <c>cfg( any(unix,target_os="macos",) )</c> becomes
/// <c>cfg(any(unix, target_os = "macos"))</c> (cargo-client-behaviour §7). Cargo prints it so in the publish JSON but keeps the manifest's
/// spelling in the archive.
/// </summary>
public static class TargetText
{
    /// <summary>The printed form; a triple, or text that is no <c>cfg</c> expression, comes back as it is.</summary>
    public static string? Normalise(string? target)
    {
        if (target is null || !target.StartsWith("cfg(", StringComparison.Ordinal) || !target.EndsWith(')'))
            return target;

        // Token by token, so that nesting, however deep, needs no stack. What cargo would refuse may pass, but only to be compared.
        var printed = new StringBuilder(target.Length + 8);
        var rest = target.AsSpan();
        while (TakeToken(ref rest, out var token))
            Append(printed, token);
        return rest.IsEmpty ? printed.ToString() : target;
    }

    private static void Append(StringBuilder printed, ReadOnlySpan<char> token)
    {
        switch (token)
        {
            case ",":
                printed.Append(", ");
                break;
            case "=":
                printed.Append(" = ");
                break;
            case ")" when printed is [.., ',', ' ']:
                printed.Length -= 2;
                printed.Append(')');
                break;
            default:
                printed.Append(token);
                break;
        }
    }

    /// <summary>Takes the next token off; false at the end, or at what is no token, which then is left in <paramref name="rest"/>.</summary>
    private static bool TakeToken(ref ReadOnlySpan<char> rest, out ReadOnlySpan<char> token)
    {
        token = default;
        rest = rest.TrimStart(' ');
        if (rest.IsEmpty)
            return false;

        var length = TokenLength(rest);
        if (length == 0)
            return false;
        token = rest[..length];
        rest = rest[length..];
        // A raw identifier is the identifier.
        if (token.StartsWith("r#"))
            token = token[2..];
        return true;
    }

    private static int TokenLength(ReadOnlySpan<char> text)
    {
        if (text[0] is '(' or ')' or ',' or '=')
            return 1;
        if (text[0] == '"')
            return text[1..].IndexOf('"') is >= 0 and var end ? end + 2 : 0;

        var start = text.StartsWith("r#") ? 2 : 0;
        var length = start;
        while (length < text.Length && (char.IsAsciiLetterOrDigit(text[length]) || text[length] == '_'))
            length++;
        return length > start && !char.IsAsciiDigit(text[start]) ? length : 0;
    }
}
