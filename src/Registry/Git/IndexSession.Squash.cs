using System.Globalization;
using System.Text;
using Pipeline.Registry.Failures;

namespace Pipeline.Registry.Git;

/// <summary>What a squash needs of the repository (git-engine §6, crates-io-behaviour §4.3).</summary>
public sealed partial class IndexSession
{
    private const string SnapshotPrefix = "refs/heads/snapshot-";

    /// <summary>How many commits the branch has.</summary>
    /// <exception cref="TransientException">Git cannot be run, or failed.</exception>
    public Task<long> CountAsync(CancellationToken cancellationToken) => _repository.CountAsync(cancellationToken);

    /// <summary>
    /// Packs everything into one pack with a bitmap. Without a fresh one a push of the new commit, and every client's next fetch, would carry the
    /// whole tree again: it shares no history with what they have.
    /// </summary>
    /// <exception cref="TransientException">Git cannot be run, or failed.</exception>
    public async Task PackAsync(CancellationToken cancellationToken) =>
        await WriteAsync(["-c", "core.fsync=all", "repack", "-a", "-d", "-b", "-n", "-q"], "", cancellationToken).ConfigureAwait(false);

    /// <summary>Makes a commit without parents that has a commit's files. No branch moves.</summary>
    /// <exception cref="TransientException">Git cannot be run, or failed.</exception>
    public async Task<string> CollapseAsync(string tip, string message, CancellationToken cancellationToken)
    {
        string[] settings = ["-c", $"user.name={_options.CommitterName}", "-c", $"user.email={_options.CommitterEmail}", "-c", "core.fsync=all"];
        var made = await WriteAsync([.. settings, "commit-tree", $"{tip}^{{tree}}", "-F", "-"], message, cancellationToken).ConfigureAwait(false);
        return IdOf(made.TrimEnd('\n')) ?? throw new TransientException("git-away", "git commit-tree did not say what it committed");
    }

    /// <summary>The snapshot branches that are here, with the commits they keep.</summary>
    /// <exception cref="TransientException">Git cannot be run, or failed.</exception>
    public async Task<IReadOnlyDictionary<string, string>> SnapshotsAsync(CancellationToken cancellationToken)
    {
        var result = await _git.RunAsync(
            _repository.Path, ["for-each-ref", "--format=%(objectname)%09%(refname)", SnapshotPrefix + "*"], default, _options.CommandLimit, cancellationToken).ConfigureAwait(false);
        if (result.ExitCode != 0) throw new TransientException("git-away", $"git for-each-ref ended with {result.ExitCode}: {result.Errors}");
        return RefLines(result.Output);
    }

    /// <summary>Keeps the history on a branch and moves the index's own to a commit without it: both or neither.</summary>
    /// <param name="from">Where the branch is.</param>
    /// <param name="to">Where it goes.</param>
    /// <param name="snapshot">The short name of the branch that keeps it.</param>
    /// <param name="cancellationToken">Ends git; both are then moved or neither is.</param>
    /// <exception cref="TransientException">The branch has moved, or git cannot be run.</exception>
    public async Task MoveAsync(string from, string to, string snapshot, CancellationToken cancellationToken)
    {
        var existing = await SnapshotsAsync(cancellationToken).ConfigureAwait(false);
        var keep = existing.ContainsKey(snapshot) ? $"verify refs/heads/{snapshot} {from}" : $"create refs/heads/{snapshot} {from}";
        await WriteAsync(["-c", "core.fsync=all", "update-ref", "--stdin"], $"start\n{keep}\nupdate {IndexRepository.Branch} {to} {from}\nprepare\ncommit\n", cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The name of a snapshot branch: the day's, unless that one keeps another commit.</summary>
    /// <param name="day">The day, UTC.</param>
    /// <param name="tip">The commit it is to keep.</param>
    /// <param name="taken">Those that are there.</param>
    public static string SnapshotName(DateTimeOffset day, string tip, IReadOnlyDictionary<string, string> taken)
    {
        ArgumentNullException.ThrowIfNull(taken);
        var name = $"snapshot-{day.UtcDateTime.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)}";
        for (var i = 1; ; i++)
        {
            var candidate = i == 1 ? name : string.Create(CultureInfo.InvariantCulture, $"{name}-{i}");
            if (!taken.TryGetValue(candidate, out var kept) || kept == tip) return candidate;
        }
    }

    internal static IReadOnlyDictionary<string, string> RefLines(byte[] output)
    {
        const string heads = "refs/heads/";
        var refs = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var line in Encoding.UTF8.GetString(output).Split('\n'))
        {
            if (line.Split('\t') is [var id, var name] && IdOf(id) is not null && name.StartsWith(heads, StringComparison.Ordinal)) refs[name[heads.Length..]] = id;
        }

        return refs;
    }

    private async Task<string> WriteAsync(IReadOnlyList<string> arguments, string input, CancellationToken cancellationToken)
    {
        await using var child = _git.StartWriter(_repository.Path, arguments, _held);
        var result = await child.FinishAsync(Encoding.UTF8.GetBytes(input), _options.CommandLimit, cancellationToken).ConfigureAwait(false);
        var command = arguments.First(static argument => !argument.StartsWith('-') && !argument.Contains('=', StringComparison.Ordinal));
        return result.ExitCode == 0 ? Encoding.UTF8.GetString(result.Output) : throw new TransientException("git-away", $"git {command} ended with {result.ExitCode}: {result.Errors}");
    }
}
