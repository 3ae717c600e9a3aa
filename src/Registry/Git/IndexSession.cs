using System.Globalization;
using System.Text;
using Pipeline.Registry.Failures;
using Pipeline.Registry.Posix;

namespace Pipeline.Registry.Git;

/// <summary>The right to write to the index, held under the writer's lock from before the first read to after the last commit.</summary>
public sealed partial class IndexSession : IAsyncDisposable
{
    private const int StaleExit = 1;
    private static readonly string[] NoArguments = [];
    private static readonly string[] Force = ["--force"];

    private readonly IndexRepository _repository;
    private readonly GitProgram _git;
    private readonly GitIndexOptions _options;
    private readonly TimeProvider _clock;
    private readonly WriterLock _held;
    private readonly SemaphoreSlim _turn;
    private bool _ended;

    internal IndexSession(IndexRepository repository, GitProgram git, GitIndexOptions options, TimeProvider clock, WriterLock held, SemaphoreSlim turn, GitRemote? remote)
    {
        _repository = repository;
        _git = git;
        _options = options;
        _clock = clock;
        _held = held;
        _turn = turn;
        Remote = remote is null ? null : new RemoteSession(repository, git, options, held, remote);
    }

    /// <summary>The remote, when there is one: commits go beside the branch, which follows when the remote has confirmed them.</summary>
    public RemoteSession? Remote { get; }

    /// <summary>Reads the tip, and which bytes lie at some paths there.</summary>
    /// <returns>The tip's commit id, null before the first commit; per path the blob id, null where there is no file.</returns>
    /// <exception cref="TransientException">Git cannot be run or did not answer.</exception>
    public async Task<(string? Tip, IReadOnlyList<string?> BlobIds)> LookUpAsync(IReadOnlyList<string> paths, CancellationToken cancellationToken)
    {
        var ids = await IdsAsync(_git, _repository.Path, _options, IndexRepository.Branch, paths, cancellationToken, withTip: true).ConfigureAwait(false);
        return (ids[^1], [.. ids.Take(paths.Count)]);
    }

    /// <summary>The blob ids at some paths of a commit or branch; with the tip, that one's own id behind them.</summary>
    internal static async Task<IReadOnlyList<string?>> IdsAsync(
        GitProgram git, string repository, GitIndexOptions options, string commit, IReadOnlyList<string> paths, CancellationToken cancellationToken, bool withTip = false)
    {
        ArgumentNullException.ThrowIfNull(paths);
        var asked = new StringBuilder(paths.Count * 48);
        foreach (var path in paths)
        {
            IndexTreePath.Check(path);
            asked.Append(commit).Append(':').Append(path).Append('\n');
        }

        if (withTip) asked.Append(commit).Append('\n');
        var result = await git.RunAsync(
            repository, ["cat-file", "--batch-check=%(objectname)", "--buffer"], Encoding.ASCII.GetBytes(asked.ToString()), options.CommandLimit, cancellationToken).ConfigureAwait(false);
        var answers = Encoding.ASCII.GetString(result.Output).Split('\n');
        var count = paths.Count + (withTip ? 1 : 0);
        if (result.ExitCode != 0 || answers.Length != count + 1) throw new TransientException("git-away", $"git cat-file ended with {result.ExitCode}: {result.Errors}");
        var ids = new string?[count];
        for (var i = 0; i < count; i++) ids[i] = IdOf(answers[i]);
        return ids;
    }

    /// <summary>Appends commits to the branch (beside it, when there is a remote), all or none, and returns the new tip once they are durable.</summary>
    /// <param name="tip">The commit they build on, as <see cref="LookUpAsync"/> or the last call returned it.</param>
    /// <param name="commits">At least one.</param>
    /// <param name="cancellationToken">Ends git; the branch has then moved for all commits or for none.</param>
    /// <exception cref="TransientException">The branch has moved, the disk is full, git was killed: nothing was committed.</exception>
    /// <exception cref="GitException">Git refused the commits themselves: nothing was committed.</exception>
    public async Task<string> CommitAsync(string? tip, IReadOnlyList<IndexCommit> commits, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(commits);
        if (commits.Count == 0) throw new ArgumentException("a batch has a commit", nameof(commits));
        foreach (var commit in commits) CheckPaths(commit);
        var committer = string.Create(CultureInfo.InvariantCulture, $"{_options.CommitterName} <{_options.CommitterEmail}> {_clock.GetUtcNow().ToUnixTimeSeconds()} +0000");

        // What waits for the remote is written over without asking: it was confirmed, or it is given up. The branch never is.
        await using var child = _git.StartWriter(
            _repository.Path,
            ["-c", "core.fsync=all", "-c", "fastimport.unpackLimit=1", "fast-import", "--quiet", "--done", "--date-format=raw", .. Remote is null ? NoArguments : Force],
            _held);
        var branch = Remote is null ? IndexRepository.Branch : IndexRepository.Unconfirmed;
        var result = await child.FinishAsync(
            (stream, stop) => FastImportStream.WriteAsync(stream, branch, tip, commits, committer, stop),
            _options.CommandLimit,
            cancellationToken).ConfigureAwait(false);
        if (result.ExitCode != 0) throw Failed(result);
        var created = Encoding.ASCII.GetString(result.Output).TrimEnd('\n');
        var id = IdOf(created) ?? throw new TransientException("git-away", "git fast-import did not say what it committed");
        SyncNames(branch);
        return id;
    }

    /// <summary>Moves the branch to a commit that was made elsewhere and whose objects are here.</summary>
    /// <param name="from">Where the branch is; null: it is not there.</param>
    /// <param name="to">The commit.</param>
    /// <param name="cancellationToken">Ends git.</param>
    /// <exception cref="TransientException">The branch is elsewhere, or git cannot be run.</exception>
    public async Task MoveAsync(string? from, string to, CancellationToken cancellationToken)
    {
        var result = await _git.RunWriterAsync(_repository.Path, ["update-ref", IndexRepository.Branch, to, from ?? new string('0', to.Length)], _held, _options.CommandLimit, cancellationToken).ConfigureAwait(false);
        if (result.ExitCode != 0) throw new TransientException("git-moved", $"git update-ref ended with {result.ExitCode}: {result.Errors}");
        SyncNames(IndexRepository.Branch);
    }

    /// <summary>
    /// Makes the names of new packs and of a moved ref durable. Git syncs the files, but not the folders that it renames them in: after a power cut
    /// the branch could be where it was before.
    /// </summary>
    private void SyncNames(string branch)
    {
        Libc.SyncFolder(Path.Combine(_repository.Path, "objects", "pack"));
        Libc.SyncFolder(Path.Combine(_repository.Path, Path.GetDirectoryName(branch)!));
    }

    /// <summary>
    /// Merges small packs once there are many. Packs are counted, not batches, so that a restart forgets nothing. Never prunes: what a
    /// killed batch or a reader holds on to may look unused.
    /// </summary>
    /// <returns>Whether there was something to merge.</returns>
    /// <exception cref="TransientException">Git cannot be run, or failed.</exception>
    public async Task<bool> RepackIfDueAsync(CancellationToken cancellationToken)
    {
        var packs = Directory.GetFiles(Path.Combine(_repository.Path, "objects", "pack"), "*.pack").Length;
        if (packs < _options.PacksBeforeRepack) return false;
        var result = await _git.RunWriterAsync(_repository.Path, ["repack", "-d", "-n", "--geometric=2", "-q"], _held, _options.CommandLimit, cancellationToken).ConfigureAwait(false);
        return result.ExitCode == 0 ? true : throw new TransientException("git-away", $"git repack ended with {result.ExitCode}: {result.Errors}");
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        if (_ended) return ValueTask.CompletedTask;
        _ended = true;
        _held.Dispose();
        _turn.Release();
        return ValueTask.CompletedTask;
    }

    internal static string? IdOf(string answer) => answer.Length is 40 or 64 && answer.All(char.IsAsciiHexDigitLower) ? answer : null;

    private static void CheckPaths(IndexCommit commit)
    {
        foreach (var path in commit.Deletes) IndexTreePath.Check(path);
        foreach (var file in commit.Upserts) IndexTreePath.Check(file.Path);
    }

    // Exit 1: every object was written, the branch was not moved (it has moved on, or is locked). 128 comes with "fatal:", for a machine in
    // trouble and for input that git cannot read alike; the words tell them apart. More than 128: a signal.
    private static Exception Failed(GitResult result)
    {
        var text = $"git fast-import ended with {result.ExitCode}: {result.Errors}";
        if (result.ExitCode == StaleExit) return new TransientException("git-moved", text);
        return result.ExitCode == 128 && !TroubleWords.Any(word => result.Errors.Contains(word, StringComparison.OrdinalIgnoreCase))
            ? new GitException(result.ExitCode, text)
            : new TransientException("git-away", text);
    }

    private static readonly string[] TroubleWords =
    [
        "No space left", "Disk quota", "Read-only file system", "Permission denied", "Input/output error", "Out of memory", "Cannot allocate memory", "Too many open files",
        // What git says of a short write, without the system's words for it.
        "Out of diskspace", "write error",
        "not a git repository", "unable to create", "unable to write", "Cannot store", "dubious ownership",
    ];
}
