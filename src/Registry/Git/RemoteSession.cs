using System.Text;
using Pipeline.Registry.Failures;

namespace Pipeline.Registry.Git;

/// <summary>The remote as seen from a session: where its branch is, how to bring the clone there, how to bring it to where our commits are.</summary>
public sealed class RemoteSession
{
    private const string Fetched = "refs/pipeline/fetched";
    private static readonly string Nothing = new('0', 40);

    private readonly IndexRepository _repository;
    private readonly GitProgram _git;
    private readonly GitIndexOptions _options;
    private readonly WriterLock _held;
    private readonly GitRemote _remote;

    internal RemoteSession(IndexRepository repository, GitProgram git, GitIndexOptions options, WriterLock held, GitRemote remote)
    {
        _repository = repository;
        _git = git;
        _options = options;
        _held = held;
        _remote = remote;
    }

    /// <summary>Asks the remote where its branch is; null: it has none yet.</summary>
    /// <exception cref="TransientException">The remote is away or refuses us.</exception>
    public async Task<string?> TipAsync(CancellationToken cancellationToken)
    {
        var branch = _remote.Address.Branch;
        var result = await _remote.RunAsync(_repository.Path, ["ls-remote", "--quiet", "--heads", "--", _remote.Address.Url, branch], _held, cancellationToken).ConfigureAwait(false);
        if (result.ExitCode != 0) throw Away("ls-remote", result);
        foreach (var line in Encoding.UTF8.GetString(result.Output).Split('\n'))
        {
            if (line.Split('\t') is [var id, var name] && name == branch) return IndexSession.IdOf(id) ?? throw new TransientException("git-remote-away", "the git remote named a commit that cannot be one");
        }

        return null;
    }

    /// <summary>Fetches the remote's branch beside ours.</summary>
    /// <returns>Where it was.</returns>
    /// <exception cref="TransientException">The remote is away or refuses us.</exception>
    public async Task<string> FetchAsync(CancellationToken cancellationToken)
    {
        var result = await _remote.RunAsync(
            _repository.Path,
            ["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance", "--no-recurse-submodules", "--", _remote.Address.Url, $"+{_remote.Address.Branch}:{Fetched}"],
            _held,
            cancellationToken).ConfigureAwait(false);
        if (result.ExitCode != 0) throw Away("fetch", result);
        var found = await _git.RunAsync(_repository.Path, ["rev-parse", "--verify", "--quiet", Fetched], default, _options.CommandLimit, cancellationToken).ConfigureAwait(false);
        return IndexSession.IdOf(Encoding.ASCII.GetString(found.Output).Trim()) ?? throw new TransientException("git-away", $"git rev-parse ended with {found.ExitCode}: {found.Errors}");
    }

    /// <summary>Moves the branch that readers see to what the remote has confirmed.</summary>
    /// <exception cref="TransientException">It could not be moved.</exception>
    public async Task AdoptAsync(string? from, string to, CancellationToken cancellationToken)
    {
        var result = await _git.RunWriterAsync(_repository.Path, ["update-ref", IndexRepository.Branch, to, from ?? Nothing], _held, _options.CommandLimit, cancellationToken).ConfigureAwait(false);
        if (result.ExitCode != 0) throw new TransientException("git-moved", $"git update-ref ended with {result.ExitCode}: {result.Errors}");
    }

    /// <summary>
    /// Pushes commits, on the condition that the remote's branch is where it was. The condition is exact: neither a branch that moved on nor
    /// one that was set back is written over.
    /// </summary>
    /// <param name="from">Where the remote's branch is thought to be; null: it has none.</param>
    /// <param name="to">The newest commit, built on it.</param>
    /// <param name="cancellationToken">Ends the push; the remote may have it then or not.</param>
    /// <returns>False: the remote's branch is elsewhere.</returns>
    /// <exception cref="TransientException">The remote is away, or refuses us or the commits.</exception>
    public async Task<bool> PushAsync(string? from, string to, CancellationToken cancellationToken)
    {
        var branch = _remote.Address.Branch;
        var result = await _remote.RunAsync(
            _repository.Path,
            ["push", "--porcelain", "--no-verify", "--no-follow-tags", "--recurse-submodules=no", $"--force-with-lease={branch}:{from}", "--", _remote.Address.Url, $"{to}:{branch}"],
            _held,
            cancellationToken).ConfigureAwait(false);
        return PushReport.Read(Encoding.UTF8.GetString(result.Output), result.ExitCode, branch, out var reason) switch
        {
            PushOutcome.Confirmed => true,
            PushOutcome.Moved => false,
            PushOutcome.Refused => throw new TransientException("git-remote-refused", $"the git remote refuses the commits: {_remote.Clean(reason)}; {result.Errors}"),
            _ => throw Away("push", result),
        };
    }

    /// <summary>The remote's snapshot branches, with the commits they keep.</summary>
    /// <exception cref="TransientException">The remote is away or refuses us.</exception>
    public async Task<IReadOnlyDictionary<string, string>> SnapshotsAsync(CancellationToken cancellationToken)
    {
        var result = await _remote.RunAsync(
            _repository.Path, ["ls-remote", "--quiet", "--heads", "--", _remote.Address.Url, "refs/heads/snapshot-*"], _held, cancellationToken).ConfigureAwait(false);
        return result.ExitCode == 0 ? IndexSession.RefLines(result.Output) : throw Away("ls-remote", result);
    }

    /// <summary>
    /// Pushes the commit that has no history and the branch that keeps it, both or neither, on the condition that the remote's branch is where it
    /// was: the one push of this program that does not build on what is there.
    /// </summary>
    /// <returns>False: the remote's branch is elsewhere.</returns>
    /// <exception cref="TransientException">The remote is away, or refuses us or the commits.</exception>
    public async Task<bool> PushSquashAsync(string from, string to, string snapshot, CancellationToken cancellationToken)
    {
        var branch = _remote.Address.Branch;
        var result = await _remote.RunAsync(
            _repository.Path,
            [
                "push", "--porcelain", "--atomic", "--no-verify", "--no-follow-tags", "--recurse-submodules=no", $"--force-with-lease={branch}:{from}",
                "--", _remote.Address.Url, $"{from}:refs/heads/{snapshot}", $"{to}:{branch}",
            ],
            _held,
            cancellationToken).ConfigureAwait(false);
        return PushReport.Read(Encoding.UTF8.GetString(result.Output), result.ExitCode, branch, out var reason) switch
        {
            PushOutcome.Confirmed => true,
            PushOutcome.Moved => false,
            PushOutcome.Refused => throw new TransientException("git-remote-refused", $"the git remote refuses the squash: {_remote.Clean(reason)}; {result.Errors}"),
            _ => throw Away("push", result),
        };
    }

    /// <summary>Whether the clone has a commit.</summary>
    /// <exception cref="TransientException">Git cannot be run.</exception>
    public async Task<bool> HasAsync(string commit, CancellationToken cancellationToken)
    {
        var result = await _git.RunAsync(_repository.Path, ["cat-file", "-e", commit + "^{commit}"], default, _options.CommandLimit, cancellationToken).ConfigureAwait(false);
        return result.ExitCode == 0;
    }

    /// <summary>The paths whose files differ between two commits.</summary>
    /// <exception cref="TransientException">Git cannot be run, or failed.</exception>
    public async Task<IReadOnlyList<string>> ChangedAsync(string from, string to, CancellationToken cancellationToken)
    {
        var result = await _git.RunAsync(
            _repository.Path, ["diff-tree", "-r", "-z", "--name-only", "--no-renames", from, to], default, _options.CommandLimit, cancellationToken).ConfigureAwait(false);
        if (result.ExitCode != 0) throw new TransientException("git-away", $"git diff-tree ended with {result.ExitCode}: {result.Errors}");
        return Encoding.UTF8.GetString(result.Output).Split('\0', StringSplitOptions.RemoveEmptyEntries);
    }

    private static TransientException Away(string command, GitResult result)
    {
        string[] denied = ["Authentication failed", "could not read Username", "could not read Password", "Permission denied", "Host key verification failed", "The requested URL returned error: 403"];
        var code = denied.Any(word => result.Errors.Contains(word, StringComparison.OrdinalIgnoreCase)) ? "git-remote-denied" : "git-remote-away";
        return new TransientException(code, $"git {command} ended with {result.ExitCode}: {result.Errors}");
    }
}
