using Pipeline.Contracts;
using Pipeline.Registry.Identity;

namespace Pipeline.Registry.Changes;

/// <summary>What a webhook may be made of.</summary>
public static class WebhookRules
{
    /// <summary>How many webhooks there may be.</summary>
    public const int MostWebhooks = 100;

    /// <summary>What a secret begins with whose rest is base64 of the key; any other is the key itself, in UTF-8 (Standard Webhooks).</summary>
    public const string SecretPrefix = "whsec_";

    private const int MostUrl = 2000;
    private const int MostPatterns = 100;
    private const int LeastKey = 16;
    private const int MostKey = 256;

    /// <summary>Why a webhook is refused; null: it is fine.</summary>
    public static Reject? Check(string? url, Secret? secret, IReadOnlyList<string> kinds, IReadOnlyList<string> crates)
    {
        ArgumentNullException.ThrowIfNull(kinds);
        ArgumentNullException.ThrowIfNull(crates);
        if (UrlWrong(url) is { } wrong) return Refuse(wrong);
        if (secret is null || Key(secret) is not { Length: >= LeastKey and <= MostKey })
            return Refuse($"`secret` must be {SecretPrefix} and base64, or plain text, of {LeastKey} to {MostKey} bytes");
        if (kinds.FirstOrDefault(static kind => !ChangeKinds.All.Contains(kind, StringComparer.Ordinal)) is { } kind)
            return Refuse($"`{kind}` is no kind of change; there are {string.Join(", ", ChangeKinds.All):whole}");
        if (crates.Count > MostPatterns) return Refuse($"`crates` may have {MostPatterns} patterns at most");
        return crates.FirstOrDefault(static crate => !CratePattern.TryParse(crate, out _)) is { } crate ? Refuse($"`{crate}` is no crate pattern: a name, or the start of one and *") : null;
    }

    /// <summary>The key that a secret stands for; null: it is none.</summary>
    public static byte[]? Key(Secret secret)
    {
        ArgumentNullException.ThrowIfNull(secret);
        var text = secret.Reveal();
        if (!text.StartsWith(SecretPrefix, StringComparison.Ordinal)) return System.Text.Encoding.UTF8.GetBytes(text);
        var key = new byte[text.Length];
        return Convert.TryFromBase64String(text[SecretPrefix.Length..], key, out var length) ? key[..length] : null;
    }

    private static string? UrlWrong(string? url)
    {
        if (url is null || url.Length > MostUrl || !Uri.TryCreate(url, UriKind.Absolute, out var parsed) || parsed.Scheme is not ("http" or "https"))
            return $"`url` must be an http or https URL of {MostUrl} characters at most";
        // Credentials in a URL end in logs of proxies and in tables of operators; the signature is what proves who sends.
        return parsed.UserInfo.Length > 0 || parsed.Fragment.Length > 0 ? "`url` must have neither credentials nor a fragment" : null;
    }

    private static Reject Refuse(Sentence text) => new(RejectCodes.InvalidRequest, 422, text);
}
