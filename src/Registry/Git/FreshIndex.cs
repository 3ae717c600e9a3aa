using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using System.Text;
using Pipeline.Registry.Failures;

namespace Pipeline.Registry.Git;

/// <summary>
/// A whole index written from nothing into a bare repository of its own: one commit, one pack, one sync. It is under construction until
/// its branch stands; one that was left unfinished is thrown away.
/// </summary>
public sealed class FreshIndex : IDisposable
{
    private const int FlushAt = 1 << 18;

    private readonly GitProgram _git;
    private readonly GitIndexOptions _options;
    private readonly WriterLock _held;
    private readonly string _committer;

    private FreshIndex(string path, GitProgram git, GitIndexOptions options, string committer, WriterLock held)
    {
        Path = path;
        _git = git;
        _options = options;
        _committer = committer;
        _held = held;
    }

    /// <summary>Writes one file after another.</summary>
    /// <param name="write">Takes a path and its bytes.</param>
    public delegate Task Filling(Func<string, ReadOnlyMemory<byte>, ValueTask> write);

    /// <summary>The bare repository's folder.</summary>
    public string Path { get; }

    /// <summary>Begins in an empty folder; whatever was there goes.</summary>
    /// <param name="path">The folder, absolute. Beside it lies the lock that a killed attempt's git may still hold.</param>
    /// <param name="git">The program.</param>
    /// <param name="options">Committer and limits.</param>
    /// <param name="clock">The commit's time.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="TransientException">An earlier attempt has not ended, or git cannot be run.</exception>
    public static async Task<FreshIndex> BeginAsync(string path, GitProgram git, GitIndexOptions options, TimeProvider clock, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(git);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(clock);
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(path)!);
        var held = await WriterLock.AcquireAsync(path + ".writer", TimeSpan.FromSeconds(options.LockWaitSeconds), cancellationToken).ConfigureAwait(false);
        try
        {
            if (Directory.Exists(path)) Directory.Delete(path, recursive: true);
            var made = await git.RunWriterAsync(null, ["init", "--quiet", "--bare", "--template=", "--initial-branch=master", path], held, options.CommandLimit, cancellationToken).ConfigureAwait(false);
            if (made.ExitCode != 0) throw new TransientException("git-away", $"git init of {path} ended with {made.ExitCode}: {made.Errors}");
            await File.WriteAllTextAsync(System.IO.Path.Combine(path, "config"), IndexRepository.Configuration, cancellationToken).ConfigureAwait(false);
            var committer = string.Create(CultureInfo.InvariantCulture, $"{options.CommitterName} <{options.CommitterEmail}> {clock.GetUtcNow().ToUnixTimeSeconds()} +0000");
            return new FreshIndex(path, git, options, committer, held);
        }
        catch
        {
            held.Dispose();
            throw;
        }
    }

    /// <summary>Writes all files as one commit without a parent.</summary>
    /// <returns>The tree's id.</returns>
    /// <exception cref="TransientException">Git cannot be run, or failed.</exception>
    public async Task<string> WriteAsync(string message, Filling fill, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(fill);
        return await ImportAsync(IndexRepository.Branch, async pipe =>
        {
            WriteHead(pipe, IndexRepository.Branch, message, parent: null);
            var pending = 0L;
            await fill(async (path, content) =>
            {
                IndexTreePath.Check(path);
                WriteFile(pipe, path, content);
                if ((pending += content.Length) < FlushAt) return;
                await pipe.FlushAsync(cancellationToken).ConfigureAwait(false);
                pending = 0;
            }).ConfigureAwait(false);
        }, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Commits the tree on top of another repository's tip, with what moved since the tree was written. Only in here: the other repository
    /// is read, not written.
    /// </summary>
    /// <param name="repository">The other repository's folder.</param>
    /// <param name="tip">Its tip; null: it has none.</param>
    /// <param name="tree">What <see cref="WriteAsync"/> returned.</param>
    /// <param name="moved">Files written over, or deleted where the content is null.</param>
    /// <param name="message">The commit's message.</param>
    /// <param name="cancellationToken">Ends git.</param>
    /// <returns>The commit; null: its tree is the tip's, there is nothing to commit.</returns>
    /// <exception cref="TransientException">Git cannot be run, or failed.</exception>
    public async Task<string?> CommitOnAsync(string repository, string? tip, string tree, IAsyncEnumerable<(string Path, byte[]? Content)> moved, string message, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(moved);
        await File.WriteAllTextAsync(System.IO.Path.Combine(Path, "objects", "info", "alternates"), System.IO.Path.Combine(repository, "objects") + "\n", cancellationToken).ConfigureAwait(false);
        var next = await ImportAsync(IndexRepository.Rebuilt, async pipe =>
        {
            WriteHead(pipe, IndexRepository.Rebuilt, message, tip);
            Write(pipe, $"M 040000 {tree} \"\"\n");
            await foreach (var (path, content) in moved.WithCancellation(cancellationToken).ConfigureAwait(false))
            {
                IndexTreePath.Check(path);
                if (content is null) Write(pipe, $"D {path}\n");
                else WriteFile(pipe, path, content);
                await pipe.FlushAsync(cancellationToken).ConfigureAwait(false);
            }
        }, cancellationToken).ConfigureAwait(false);
        if (tip is not null && await ParseAsync(tip + "^{tree}", cancellationToken).ConfigureAwait(false) == next) return null;
        return await ParseAsync(IndexRepository.Rebuilt, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Gives another repository of the same file system every object of this one, durably.</summary>
    public void HandOver(string repository)
    {
        var target = System.IO.Path.Combine(repository, "objects", "pack");
        // A pack counts once its index is there: that one comes last.
        foreach (var ending in (string[])[".pack", ".idx"])
        {
            foreach (var file in Directory.GetFiles(System.IO.Path.Combine(Path, "objects", "pack"), "*" + ending))
                Posix.Libc.HardLink(file, System.IO.Path.Combine(target, System.IO.Path.GetFileName(file)));
        }

        Posix.Libc.SyncFolder(target);
    }

    /// <summary>Removes the folder.</summary>
    public void Remove()
    {
        if (Directory.Exists(Path)) Directory.Delete(Path, recursive: true);
    }

    /// <inheritdoc/>
    public void Dispose() => _held.Dispose();

    // Returns the tree of what was committed.
    private async Task<string> ImportAsync(string branch, Func<PipeWriter, Task> fill, CancellationToken cancellationToken)
    {
        // Always a pack, also for one commit alone: loose objects are not handed over.
        await using var child = _git.StartWriter(Path, ["-c", "core.fsync=all", "-c", "fastimport.unpackLimit=0", "fast-import", "--quiet", "--done", "--force", "--date-format=raw"], _held);
        var result = await child.FinishAsync(
            async (stream, _) =>
            {
                var pipe = PipeWriter.Create(stream, new StreamPipeWriterOptions(minimumBufferSize: FlushAt, leaveOpen: true));
                await fill(pipe).ConfigureAwait(false);
                Write(pipe, "\ndone\n");
                await pipe.FlushAsync(cancellationToken).ConfigureAwait(false);
                await pipe.CompleteAsync().ConfigureAwait(false);
            },
            _options.CommandLimit, cancellationToken).ConfigureAwait(false);
        return result.ExitCode == 0
            ? await ParseAsync(branch + "^{tree}", cancellationToken).ConfigureAwait(false)
            : throw new TransientException("git-away", $"git fast-import ended with {result.ExitCode}: {result.Errors}");
    }

    private async Task<string> ParseAsync(string what, CancellationToken cancellationToken)
    {
        var result = await _git.RunAsync(Path, ["rev-parse", "--verify", "--quiet", what], default, _options.CommandLimit, cancellationToken).ConfigureAwait(false);
        return IndexSession.IdOf(Encoding.ASCII.GetString(result.Output).Trim()) ?? throw new TransientException("git-away", $"git rev-parse ended with {result.ExitCode}: {result.Errors}");
    }

    private void WriteHead(PipeWriter pipe, string branch, string message, string? parent)
    {
        Write(pipe, $"commit {branch}\ncommitter {_committer}\ndata {Encoding.UTF8.GetByteCount(message)}\n{message}\n");
        if (parent is not null) Write(pipe, $"from {parent}\n");
    }

    private static void WriteFile(PipeWriter pipe, string path, ReadOnlyMemory<byte> content)
    {
        Write(pipe, $"M 100644 inline {path}\ndata {content.Length}\n");
        pipe.Write(content.Span);
        Write(pipe, "\n");
    }

    private static void Write(PipeWriter pipe, string text) => Encoding.UTF8.GetBytes(text, pipe);
}
