using System.Buffers;

namespace Pipeline.Registry.Git;

/// <summary>How the remote is spoken to.</summary>
public enum GitTransport
{
    /// <summary>A repository on this machine.</summary>
    File,

    /// <summary>ssh with a key.</summary>
    Ssh,

    /// <summary>https, or http on this machine.</summary>
    Http,
}

/// <summary>A remote that was checked at start: nothing in it can be taken for an option, a command or a credential.</summary>
/// <param name="Url">The URL or path, as git is given it.</param>
/// <param name="Transport">How it is spoken to.</param>
/// <param name="Host">Host and port as the URL has them; empty for a file.</param>
/// <param name="Branch">The full name of the branch.</param>
public sealed record GitRemoteAddress(string Url, GitTransport Transport, string Host, string Branch)
{
    // Both stand in a command line that git gives to a shell, and in options that ssh takes apart by its own rules.
    private static readonly SearchValues<char> PathCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./+,=");
    private static readonly SearchValues<char> BranchCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./+");

    /// <summary>Checks what is configured; null when no remote is.</summary>
    /// <exception cref="InvalidOperationException">It cannot be a remote, or lacks what it needs; the message names the key.</exception>
    public static GitRemoteAddress? Of(GitIndexOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.Remote is not { Length: > 0 } url) return null;
        var branch = BranchOf(options.RemoteBranch);
        if (url[0] == '/') return new GitRemoteAddress(Plain(url), GitTransport.File, "", branch);
        if (!Uri.TryCreate(url, UriKind.Absolute, out var uri)) throw Bad("GitIndex:Remote", "is neither a URL nor an absolute path");
        if (uri.UserInfo.Contains(':', StringComparison.Ordinal)) throw Bad("GitIndex:Remote", "has a password in it; give it as GitIndex:RemotePassword");
        var transport = uri.Scheme switch
        {
            "file" when uri.Host.Length == 0 => GitTransport.File,
            "ssh" => GitTransport.Ssh,
            "https" => GitTransport.Http,
            "http" when uri.IsLoopback => GitTransport.Http,
            "http" => throw Bad("GitIndex:Remote", "is http: allowed on this machine only, elsewhere passwords could be read on the way"),
            _ => throw Bad("GitIndex:Remote", "is neither https://, ssh:// nor file://"),
        };
        if (transport == GitTransport.Ssh) CheckSsh(options, uri);
        if (transport == GitTransport.Http) CheckHttp(options, uri);
        return new GitRemoteAddress(Plain(url), transport, HostOf(url), branch);
    }

    private static void CheckSsh(GitIndexOptions options, Uri uri)
    {
        if (uri.Host.StartsWith('-') || uri.UserInfo.StartsWith('-')) throw Bad("GitIndex:Remote", "has a host or user that ssh would take for an option");
        CheckFile("GitIndex:SshKeyFile", options.SshKeyFile, "an ssh remote needs");
        CheckFile("GitIndex:SshKnownHosts", options.SshKnownHosts, "an ssh remote needs");
    }

    private static void CheckHttp(GitIndexOptions options, Uri uri)
    {
        if (uri.UserInfo.Length > 0) throw Bad("GitIndex:Remote", "has a user in it; give it as GitIndex:RemoteUser");
        if (options.RemotePassword is not null && options.RemoteUser is not { Length: > 0 }) throw Bad("GitIndex:RemoteUser", "must be given with GitIndex:RemotePassword");
        if (options.RemoteCaFile is not null) CheckFile("GitIndex:RemoteCaFile", options.RemoteCaFile, "");
    }

    private static void CheckFile(string key, string? path, string need)
    {
        if (path is not { Length: > 0 }) throw new InvalidOperationException($"{need} {key}");
        if (Path.GetFullPath(path).AsSpan().ContainsAnyExcept(PathCharacters)) throw Bad(key, "has a character outside letters, digits and -_./+,=");
        if (!File.Exists(path)) throw Bad(key, "names no file");
    }

    private static string BranchOf(string name)
    {
        var valid = name.Length is > 0 and <= 200 && !name.AsSpan().ContainsAnyExcept(BranchCharacters) && char.IsAsciiLetterOrDigit(name[0]) && char.IsAsciiLetterOrDigit(name[^1])
            && !name.Contains("..", StringComparison.Ordinal) && !name.Contains("//", StringComparison.Ordinal) && !name.Contains("/.", StringComparison.Ordinal) && !name.EndsWith(".lock", StringComparison.Ordinal);
        return valid ? "refs/heads/" + name : throw Bad("GitIndex:RemoteBranch", "is no name of a branch");
    }

    private static string Plain(string url)
    {
        foreach (var character in url)
        {
            if (char.IsControl(character) || char.IsWhiteSpace(character)) throw Bad("GitIndex:Remote", "has a blank or control character");
        }

        return url;
    }

    // As written, a default port included: git asks for the password in the same words.
    private static string HostOf(string url)
    {
        var rest = url[(url.IndexOf("://", StringComparison.Ordinal) + 3)..];
        var authority = rest[..(rest.IndexOf('/') is >= 0 and var slash ? slash : rest.Length)];
        return authority[(authority.LastIndexOf('@') + 1)..];
    }

    private static InvalidOperationException Bad(string key, string why) => new($"{key} {why}");
}
