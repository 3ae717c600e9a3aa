using Microsoft.Extensions.Logging;
using Pipeline.Contracts.Index;
using Pipeline.Registry.Failures;

namespace Pipeline.Registry.Git;

/// <summary>
/// The git index's bare repository. It is written to only in a session (<see cref="BeginWriteAsync"/>): one at a time on this machine,
/// whatever died before. It is served to readers meanwhile.
/// </summary>
public sealed class IndexRepository(GitProgram git, GitIndexOptions options, TimeProvider clock, ILogger<IndexRepository> logger, GitRemote? remote = null) : IDisposable
{
    /// <summary>The one branch. Cargo fetches <c>HEAD</c>, which names it.</summary>
    public const string Branch = "refs/heads/master";

    /// <summary>Where commits wait for the remote's word, when there is one. Readers do not fetch it.</summary>
    internal const string Unconfirmed = "refs/pipeline/unconfirmed";

    /// <summary>Where cargo reads the registry's URLs.</summary>
    public const string ConfigPath = "config.json";

    /// <summary>Where a commit waits that was made beside the branch. Readers do not fetch it.</summary>
    internal const string Rebuilt = "refs/pipeline/rebuilt";

    // What must be durable before a batch counts as done: objects, packs and refs alike. Small packs stay packs, since git 2.39 does not
    // sync loose objects by default. Nothing prunes: a reader or a killed batch may still need it.
    internal const string Configuration =
        """
        [core]
        	repositoryformatversion = 0
        	filemode = true
        	bare = true
        	fsync = all
        	fsyncMethod = fsync
        	logAllRefUpdates = false
        [fastimport]
        	unpackLimit = 1
        [gc]
        	auto = 0
        [maintenance]
        	auto = false
        [http]
        	receivepack = false
        [transfer]
        	hideRefs = refs/pipeline
        [fetch]
        	unpackLimit = 1

        """;

    private readonly SemaphoreSlim _turn = new(1, 1);

    /// <summary>The bare repository's folder, absolute.</summary>
    public string Path { get; } = System.IO.Path.GetFullPath(options.RepositoryPath);

    /// <summary>The file whose OS lock the writer holds.</summary>
    public string LockPath => Path + ".writer";

    /// <summary>Whether there is a repository to read from.</summary>
    public bool Exists => File.Exists(System.IO.Path.Combine(Path, "HEAD"));

    /// <summary>
    /// Begins writing: waits for the writer's lock, creates the repository when there is none, and clears away what a killed writer left.
    /// </summary>
    /// <exception cref="TransientException">Another writer has not ended, or git cannot be run.</exception>
    public async Task<IndexSession> BeginWriteAsync(CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        WriterLock? held = null;
        try
        {
            Directory.CreateDirectory(System.IO.Path.GetDirectoryName(Path)!);
            held = await WriterLock.AcquireAsync(LockPath, TimeSpan.FromSeconds(options.LockWaitSeconds), cancellationToken).ConfigureAwait(false);
            await PrepareAsync(held, cancellationToken).ConfigureAwait(false);
            return new IndexSession(this, git, options, clock, held, _turn, remote);
        }
        catch
        {
            held?.Dispose();
            _turn.Release();
            throw;
        }
    }

    /// <summary>Whether the index is pushed to a remote. Then the branch shows what the remote has confirmed, and nothing else.</summary>
    public bool HasRemote => remote is not null;

    /// <summary>
    /// Commits <c>config.json</c> when it differs from the bytes given, or is not there. Returns whether it did. Never where there is a
    /// remote: its file may have been edited by hand, so the writer adds one only when the remote has none.
    /// </summary>
    /// <exception cref="TransientException">Another writer has not ended, or git cannot be run.</exception>
    public async Task<bool> EnsureConfigAsync(ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        if (HasRemote) return false;
        await using var session = await BeginWriteAsync(cancellationToken).ConfigureAwait(false);
        var (tip, ids) = await session.LookUpAsync([ConfigPath], cancellationToken).ConfigureAwait(false);
        if (ids[0] == GitBlobId.Of(content.Span)) return false;
        var message = ids[0] is null ? "Add config.json" : "Update config.json";
        await session.CommitAsync(tip, [new IndexCommit(message, [new IndexUpsert(ConfigPath, content)], [])], cancellationToken).ConfigureAwait(false);
        return true;
    }

    /// <summary>The commit that stands in the index, the remote's where there is one; null: none yet. Only that of a remote needs the writer's lock.</summary>
    /// <exception cref="TransientException">Git cannot be run, the remote is away, or another writer has not ended.</exception>
    public async Task<string?> TipAsync(CancellationToken cancellationToken)
    {
        if (HasRemote)
        {
            await using var session = await BeginWriteAsync(cancellationToken).ConfigureAwait(false);
            return await session.Remote!.TipAsync(cancellationToken).ConfigureAwait(false) is null ? null : await session.Remote.FetchAsync(cancellationToken).ConfigureAwait(false);
        }

        if (!Exists) return null;
        var result = await git.RunAsync(Path, ["rev-parse", "--verify", "--quiet", Branch], default, options.CommandLimit, cancellationToken).ConfigureAwait(false);
        return IndexSession.IdOf(System.Text.Encoding.ASCII.GetString(result.Output).Trim());
    }

    /// <summary>Reads a file of a commit; null: it is not there.</summary>
    /// <exception cref="TransientException">Git cannot be run, or said too much.</exception>
    public async Task<byte[]?> ReadAsync(string commit, string path, CancellationToken cancellationToken)
    {
        IndexTreePath.Check(path);
        var result = await git.RunAsync(Path, ["cat-file", "blob", $"{commit}:{path}"], default, options.CommandLimit, cancellationToken).ConfigureAwait(false);
        return result.ExitCode == 0 ? result.Output : null;
    }

    /// <summary>Which bytes lie at some paths of a commit: per path the blob id, null where there is no file.</summary>
    /// <exception cref="TransientException">Git cannot be run or did not answer.</exception>
    public Task<IReadOnlyList<string?>> LookUpAsync(string commit, IReadOnlyList<string> paths, CancellationToken cancellationToken) =>
        IndexSession.IdsAsync(git, Path, options, commit, paths, cancellationToken);

    /// <summary>Every path of a commit, as git stores it.</summary>
    /// <exception cref="TransientException">Git cannot be run, or failed.</exception>
    public async IAsyncEnumerable<string> ListAsync(string commit, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var child = git.Start(Path, ["ls-tree", "-r", "-z", "--name-only", "--full-tree", commit]);
        child.CloseInput();
        using var text = new StreamReader(child.Output, System.Text.Encoding.Latin1, leaveOpen: true);
        var (name, buffer) = (new System.Text.StringBuilder(), new char[1 << 14]);
        while (await text.ReadAsync(buffer, cancellationToken).ConfigureAwait(false) is > 0 and var read)
        {
            for (var i = 0; i < read; i++)
            {
                if (buffer[i] != '\0')
                {
                    name.Append(buffer[i]);
                    continue;
                }

                yield return name.ToString();
                name.Clear();
            }
        }

        var (exitCode, errors) = await child.EndAsync(cancellationToken).ConfigureAwait(false);
        if (exitCode != 0) throw new TransientException("git-away", $"git ls-tree ended with {exitCode}: {errors}");
    }

    /// <summary>How many commits the branch has; 0: there is no repository, or no commit.</summary>
    /// <exception cref="TransientException">Git cannot be run, or failed.</exception>
    public async Task<long> CountAsync(CancellationToken cancellationToken)
    {
        if (!Exists) return 0;
        var result = await git.RunAsync(Path, ["rev-list", "--count", "--ignore-missing", Branch, "--"], default, options.CommandLimit, cancellationToken).ConfigureAwait(false);
        if (result.ExitCode != 0 && result.Errors.Contains("bad revision", StringComparison.Ordinal)) return 0;
        if (result.ExitCode != 0) throw new TransientException("git-away", $"git rev-list ended with {result.ExitCode}: {result.Errors}");
        return long.Parse(System.Text.Encoding.ASCII.GetString(result.Output), System.Globalization.CultureInfo.InvariantCulture);
    }

    /// <inheritdoc/>
    public void Dispose() => _turn.Dispose();

    private async Task PrepareAsync(WriterLock held, CancellationToken cancellationToken)
    {
        var removed = Leftovers.Remove(Path);
        if (removed > 0) logger.LogWarning("{Files} files of a git that was killed were removed from {Repository}", removed, Path);

        // The configuration is written last: it says that the repository is whole.
        var config = System.IO.Path.Combine(Path, "config");
        if (Exists && File.Exists(config) && await File.ReadAllTextAsync(config, cancellationToken).ConfigureAwait(false) == Configuration) return;
        var made = await git.RunWriterAsync(null, ["init", "--quiet", "--bare", "--template=", "--initial-branch=master", Path], held, options.CommandLimit, cancellationToken).ConfigureAwait(false);
        if (made.ExitCode != 0) throw new TransientException("git-away", $"git init of {Path} ended with {made.ExitCode}: {made.Errors}");
        var fresh = config + ".lock";
        await File.WriteAllTextAsync(fresh, Configuration, cancellationToken).ConfigureAwait(false);
        File.Move(fresh, config, overwrite: true);
    }
}
