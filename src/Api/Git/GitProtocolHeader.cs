using System.Buffers;
using System.Globalization;

namespace Pipeline.Api.Git;

/// <summary>The <c>Git-Protocol</c> header: what the client asks for, on its way into git's environment.</summary>
internal static class GitProtocolHeader
{
    private const int MaxLength = 256;
    private const string VersionKey = "version=";
    private static readonly SearchValues<char> Allowed = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789:=.-");

    /// <summary>Whether the header may be handed on as <c>GIT_PROTOCOL</c>.</summary>
    public static bool IsValid(string header) => header.Length <= MaxLength && !header.AsSpan().ContainsAnyExcept(Allowed);

    /// <summary>The protocol version that git will speak: the highest it knows among those the client names, 0 without any.</summary>
    public static int Version(string? header)
    {
        var version = 0;
        foreach (var part in (header ?? "").Split(':'))
        {
            if (!part.StartsWith(VersionKey, StringComparison.Ordinal)) continue;
            if (int.TryParse(part.AsSpan(VersionKey.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var asked) && asked is 1 or 2) version = Math.Max(version, asked);
        }

        return version;
    }
}
