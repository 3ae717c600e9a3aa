using System.Buffers;
using System.Globalization;
using System.Text;

namespace Pipeline.Registry.Git;

/// <summary>
/// How git is told to speak to the remote. Credentials reach it in the child's environment and through a script that git asks: never on a
/// command line, never in the clone's configuration, never in an error text.
/// </summary>
/// <param name="git">The program.</param>
/// <param name="address">The remote.</param>
/// <param name="options">Its credentials and limits.</param>
/// <param name="home">A folder of ours, for the script.</param>
public sealed class GitRemote(GitProgram git, GitRemoteAddress address, GitIndexOptions options, string home)
{
    // Answers only for the configured host: whatever else git is led to ask for, it does not get our password there.
    private const string AskPass =
        """
        #!/bin/sh
        case "$1" in
            Username*"/$PIPELINE_GIT_HOST': ") printf '%s\n' "$PIPELINE_GIT_USER";;
            Password*"@$PIPELINE_GIT_HOST': ") printf '%s\n' "$PIPELINE_GIT_PASSWORD";;
            *) exit 1;;
        esac

        """;

    private const int MaxError = 1000;
    private static readonly SearchValues<char> EndsHost = SearchValues.Create("/ \t\r\n'\"");
    private const string Hidden = "***";
    private readonly string _home = Path.GetFullPath(home);

    /// <summary>The remote.</summary>
    public GitRemoteAddress Address => address;

    /// <summary>Runs a command that talks to the remote.</summary>
    /// <param name="repository">The clone.</param>
    /// <param name="arguments">The command and its arguments.</param>
    /// <param name="held">The writer's lock: a push goes on when this process is killed, and must keep others away.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>How it ended; the error text has no credentials in it.</returns>
    internal async Task<GitResult> RunAsync(string repository, IReadOnlyList<string> arguments, WriterLock held, CancellationToken cancellationToken)
    {
        var result = await git.RunRemoteAsync(
            repository, [.. Settings(), .. arguments], Environment(), held, TimeSpan.FromSeconds(options.RemoteSeconds), cancellationToken).ConfigureAwait(false);
        return result with { Errors = Clean(result.Errors) };
    }

    /// <summary>Takes out of a text what must not be read: the password in every form in which git or a server may repeat it, URLs' users, control characters.</summary>
    public string Clean(string text)
    {
        if (options.RemotePassword?.Reveal() is { Length: > 0 } password)
        {
            text = text.Replace(password, Hidden, StringComparison.Ordinal).Replace(Uri.EscapeDataString(password), Hidden, StringComparison.Ordinal);
            text = text.Replace(Convert.ToBase64String(Encoding.UTF8.GetBytes($"{options.RemoteUser}:{password}")), Hidden, StringComparison.Ordinal);
        }

        var clean = new StringBuilder(Math.Min(text.Length, MaxError));
        foreach (var character in WithoutUsers(text))
        {
            if (clean.Length == MaxError) break;
            clean.Append(char.IsControl(character) ? ' ' : character);
        }

        return clean.ToString().Trim();
    }

    private static string WithoutUsers(string text)
    {
        var from = 0;
        while (text.IndexOf("://", from, StringComparison.Ordinal) is >= 0 and var found)
        {
            from = found + 3;
            var end = text.AsSpan(from).IndexOfAny(EndsHost);
            var host = end < 0 ? text.AsSpan(from) : text.AsSpan(from, end);
            if (host.LastIndexOf('@') is >= 0 and var at) text = string.Concat(text.AsSpan(0, from), Hidden, text.AsSpan(from + at));
        }

        return text;
    }

    // No hook and no helper of the clone's runs, nothing is followed to another host, and a silent server is given up.
    private List<string> Settings()
    {
        var idle = ((int)options.RemoteIdleSeconds).ToString(CultureInfo.InvariantCulture);
        List<string> settings = ["-c", "core.hooksPath=/dev/null", "-c", "credential.helper=", "-c", "core.fsync=all", "-c", "pack.threads=1"];
        if (address.Transport == GitTransport.Http) settings.AddRange(["-c", "http.followRedirects=false", "-c", "http.lowSpeedLimit=1", "-c", $"http.lowSpeedTime={idle}"]);
        return settings;
    }

    private Dictionary<string, string> Environment()
    {
        var environment = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["GIT_ALLOW_PROTOCOL"] = address.Transport switch
            {
                GitTransport.File => "file",
                GitTransport.Ssh => "ssh",
                _ => "http:https",
            },
        };
        if (address.Transport == GitTransport.Ssh) AddSsh(environment);
        if (address.Transport == GitTransport.Http) AddHttp(environment);
        return environment;
    }

    private void AddSsh(Dictionary<string, string> environment)
    {
        // The paths were checked at start: a shell reads this line, and ssh takes its options apart again.
        environment["GIT_SSH_VARIANT"] = "ssh";
        environment["GIT_SSH_COMMAND"] = string.Create(
            CultureInfo.InvariantCulture,
            $"ssh -F /dev/null -o BatchMode=yes -o IdentitiesOnly=yes -o IdentityFile={Path.GetFullPath(options.SshKeyFile!)} -o IdentityAgent=none -o StrictHostKeyChecking=yes -o UserKnownHostsFile={Path.GetFullPath(options.SshKnownHosts!)} -o GlobalKnownHostsFile=/dev/null -o UpdateHostKeys=no -o PreferredAuthentications=publickey -o ClearAllForwardings=yes -o ConnectTimeout=20 -o ServerAliveInterval={Math.Max(1, (int)(options.RemoteIdleSeconds / 3))} -o ServerAliveCountMax=3");
    }

    private void AddHttp(Dictionary<string, string> environment)
    {
        if (options.RemoteCaFile is { Length: > 0 } certificates) environment["GIT_SSL_CAINFO"] = Path.GetFullPath(certificates);
        if (options.RemotePassword is null) return;
        environment["GIT_ASKPASS"] = WriteAskPass();
        environment["PIPELINE_GIT_HOST"] = address.Host;
        environment["PIPELINE_GIT_USER"] = options.RemoteUser!;
        environment["PIPELINE_GIT_PASSWORD"] = options.RemotePassword.Reveal();
    }

    private string WriteAskPass()
    {
        var path = Path.Combine(_home, "askpass");
        if (File.Exists(path) && File.ReadAllText(path) == AskPass) return path;
        Directory.CreateDirectory(_home);
        var fresh = $"{path}.{System.Environment.ProcessId}";
        File.WriteAllText(fresh, AskPass);
        File.SetUnixFileMode(fresh, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        File.Move(fresh, path, overwrite: true);
        return path;
    }
}
