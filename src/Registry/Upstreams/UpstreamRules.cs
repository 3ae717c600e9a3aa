using Pipeline.Contracts;
using Pipeline.Registry.Database;

namespace Pipeline.Registry.Upstreams;

/// <summary>What an operator may ask for: values in, a refusal out.</summary>
public static class UpstreamRules
{
    private const int MaxName = 32;
    private const long LeastEvery = 10 * Microseconds.Second;
    private const long MostEvery = 7 * 86400 * Microseconds.Second;

    /// <summary>Why an upstream cannot be followed as asked; null: it can.</summary>
    public static Reject? Check(Upstream upstream)
    {
        ArgumentNullException.ThrowIfNull(upstream);
        if (!IsName(upstream.Name)) return Refuse($"an upstream's name has 1 to {MaxName} characters: a-z, 0-9 and `-`, a letter first, and is not `local`");
        if (CheckIndex(upstream.IndexUrl) is { } wrong) return Refuse(wrong);
        if (upstream.DlUrl is { } dl && !DownloadUrl.IsTemplate(dl)) return Refuse("the download URL is no http or https URL");
        if (!UpstreamModes.All.Contains(upstream.Mode)) return Refuse($"the mode is one of {string.Join(", ", UpstreamModes.All):whole}");
        if (!CollisionPolicies.All.Contains(upstream.Collisions)) return Refuse($"the policy for collisions is one of {string.Join(", ", CollisionPolicies.All):whole}");
        if (!RemovalPolicies.All.Contains(upstream.Removals)) return Refuse($"the policy for removals is one of {string.Join(", ", RemovalPolicies.All):whole}");
        if (upstream.EveryMicroseconds is < LeastEvery or > MostEvery) return Refuse("the interval is between 10 seconds and 7 days");
        return upstream is { IsSparse: true, AllowOnly: false } ? Refuse("a sparse index cannot be listed: name the crates to follow with an allow-list, or give the upstream's git index") : null;
    }

    /// <summary>Why a list of names cannot be an allow-list; null: it can.</summary>
    public static Reject? CheckAllowed(IReadOnlyList<string> names)
    {
        ArgumentNullException.ThrowIfNull(names);
        foreach (var name in names)
        {
            if (NameRules.Check(name, NameUse.Crate) is { } reject) return Refuse($"the allow-list: {reject.Text:whole}");
        }

        return null;
    }

    private static bool IsName(string name) => name.Length is > 0 and <= MaxName && name != "local" && char.IsAsciiLetterLower(name[0])
        && name.All(static character => char.IsAsciiLetterLower(character) || char.IsAsciiDigit(character) || character == '-');

    private static string? CheckIndex(string url)
    {
        if (url.Length is 0 or > 2000 || url.Any(static character => char.IsControl(character) || char.IsWhiteSpace(character))) return "the index URL is empty, too long, or has a blank or control character";
        var sparse = url.StartsWith(Upstream.SparsePrefix, StringComparison.Ordinal);
        // A path of this machine: git's own transport for files.
        if (!sparse && url[0] == '/') return null;
        if (!Uri.TryCreate(sparse ? url[Upstream.SparsePrefix.Length..] : url, UriKind.Absolute, out var uri)) return "the index URL is neither a URL nor an absolute path";
        if (uri.UserInfo.Length > 0) return "the index URL has a user or password in it";
        if (sparse) return uri.Scheme is not ("http" or "https") ? "a sparse index is at an http or https URL" : url.EndsWith('/') ? null : "the URL of a sparse index ends with a slash";
        return uri.Scheme is "http" or "https" || (uri.Scheme == "file" && uri.Host.Length == 0) ? null : "a git index is at an http, https or file URL";
    }

    private static Reject Refuse(Sentence text) => new(RejectCodes.InvalidRequest, 400, text);
}
