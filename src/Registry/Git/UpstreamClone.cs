using System.Runtime.CompilerServices;
using System.Text;
using Pipeline.Registry.Failures;

namespace Pipeline.Registry.Git;

/// <summary>A file of an upstream's tree, or one that is no longer there.</summary>
/// <param name="Path">Its path.</param>
/// <param name="BlobId">Its bytes' id; null: it is gone, or is no plain file.</param>
public readonly record struct TreeFile(string Path, string? BlobId);

/// <summary>A blob that was read.</summary>
/// <param name="Index">Which of those asked for.</param>
/// <param name="Bytes">Its bytes; null: it is larger than allowed, or not there.</param>
public readonly record struct ReadBlob(int Index, byte[]? Bytes);

/// <summary>
/// A bare clone of an upstream's index. Nothing is ever merged into it: each fetch sets one ref to where the upstream is, whether it moved on,
/// was squashed or was rewritten, and two states are compared by their trees, which needs no common history.
/// </summary>
/// <param name="git">The program.</param>
/// <param name="path">The clone's folder; it need not exist.</param>
public sealed class UpstreamClone(GitProgram git, string path)
{
    private const string Fetched = "refs/pipeline/fetched";
    private const int PacksBeforeRepack = 50;

    private static readonly TimeSpan Short = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan LockWait = TimeSpan.FromSeconds(30);

    /// <summary>Fetches what the upstream has.</summary>
    /// <param name="url">Its URL or path, checked when it was added.</param>
    /// <param name="limit">The most time; a first fetch brings everything.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>The commit that its <c>HEAD</c> names.</returns>
    /// <exception cref="TransientException">The upstream is away, refuses, or has no commit.</exception>
    public async Task<string> FetchAsync(string url, TimeSpan limit, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        using var held = await WriterLock.AcquireAsync(path + ".lock", LockWait, cancellationToken).ConfigureAwait(false);
        Leftovers.Remove(path);
        if (!File.Exists(Path.Combine(path, "HEAD")))
        {
            var made = await git.RunWriterAsync(null, ["init", "--quiet", "--bare", "--template=", path], held, Short, cancellationToken).ConfigureAwait(false);
            if (made.ExitCode != 0) throw new TransientException("git-away", $"git init of {path} ended with {made.ExitCode}: {made.Errors}");
        }

        // No hook, no helper and no redirect; a server that says nothing for a minute is given up.
        var environment = new Dictionary<string, string>(StringComparer.Ordinal) { ["GIT_ALLOW_PROTOCOL"] = "file:http:https" };
        var fetched = await git.RunRemoteAsync(
            path,
            [
                "-c", "core.hooksPath=/dev/null", "-c", "credential.helper=", "-c", "http.followRedirects=false", "-c", "http.lowSpeedLimit=1", "-c", "http.lowSpeedTime=60",
                "-c", "fetch.unpackLimit=1", "-c", "core.fsync=all",
                "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance", "--no-recurse-submodules", "--", url, $"+HEAD:{Fetched}",
            ],
            environment, held, limit, cancellationToken).ConfigureAwait(false);
        if (fetched.ExitCode != 0) throw new TransientException("upstream-away", $"git fetch ended with {fetched.ExitCode}: {fetched.Errors}");
        await RepackIfDueAsync(held, cancellationToken).ConfigureAwait(false);
        var tip = await git.RunAsync(path, ["rev-parse", "--verify", "--quiet", Fetched + "^{commit}"], default, Short, cancellationToken).ConfigureAwait(false);
        return IndexSession.IdOf(Encoding.ASCII.GetString(tip.Output).Trim()) ?? throw new TransientException("upstream-away", "the upstream's index has no commit");
    }

    /// <summary>Whether a commit is here with all that it needs.</summary>
    /// <exception cref="TransientException">Git cannot be run.</exception>
    public async Task<bool> HasAsync(string commit, CancellationToken cancellationToken)
    {
        if (!File.Exists(Path.Combine(path, "HEAD"))) return false;
        var result = await git.RunAsync(path, ["cat-file", "-e", commit + "^{tree}"], default, Short, cancellationToken).ConfigureAwait(false);
        return result.ExitCode == 0;
    }

    /// <summary>Every file of a commit, in the order of paths.</summary>
    /// <exception cref="TransientException">Git cannot be run, or failed.</exception>
    public async Task<List<TreeFile>> TreeAsync(string commit, CancellationToken cancellationToken)
    {
        // <mode> blob <id>\t<path>
        var files = new List<TreeFile>();
        foreach (var entry in await ListAsync(["ls-tree", "-r", "-z", commit], cancellationToken).ConfigureAwait(false))
        {
            if (entry.IndexOf('\t') is > 0 and var tab && entry[..tab].Split(' ') is [var mode, "blob", var id] && IsFile(mode)) files.Add(new TreeFile(entry[(tab + 1)..], id));
        }

        files.Sort(static (x, y) => string.CompareOrdinal(x.Path, y.Path));
        return files;
    }

    /// <summary>What differs between the trees of two commits, in the order of paths. Nothing is taken for renamed.</summary>
    /// <exception cref="TransientException">Git cannot be run, or failed.</exception>
    public async Task<List<TreeFile>> ChangedAsync(string from, string to, CancellationToken cancellationToken)
    {
        // :<mode> <mode> <id> <id> <status>\0<path>\0
        var entries = await ListAsync(["diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-abbrev", from, to], cancellationToken).ConfigureAwait(false);
        var files = new List<TreeFile>(entries.Length / 2);
        for (var i = 0; i + 1 < entries.Length; i += 2)
        {
            if (entries[i].Split(' ') is not [_, var mode, _, var id, _]) throw new TransientException("git-away", "git diff-tree said something else than changes");
            files.Add(new TreeFile(entries[i + 1], IsFile(mode) ? id : null));
        }

        files.Sort(static (x, y) => string.CompareOrdinal(x.Path, y.Path));
        return files;
    }

    /// <summary>The ids of what lies at some paths of a commit; null where there is nothing.</summary>
    /// <exception cref="TransientException">Git cannot be run, or failed.</exception>
    public async Task<IReadOnlyList<string?>> LookUpAsync(string commit, IReadOnlyList<string> paths, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(paths);
        var asked = new StringBuilder(paths.Count * 64);
        foreach (var one in paths) asked.Append(commit).Append(':').Append(one).Append('\n');
        var result = await git.RunAsync(path, ["cat-file", "--batch-check=%(objecttype) %(objectname)", "--buffer"], Encoding.UTF8.GetBytes(asked.ToString()), Short, cancellationToken).ConfigureAwait(false);
        var answers = Encoding.ASCII.GetString(result.Output).Split('\n');
        if (result.ExitCode != 0 || answers.Length != paths.Count + 1) throw new TransientException("git-away", $"git cat-file ended with {result.ExitCode}: {result.Errors}");
        return [.. answers.Take(paths.Count).Select(static answer => answer.StartsWith("blob ", StringComparison.Ordinal) ? IndexSession.IdOf(answer[5..]) : null)];
    }

    /// <summary>Reads blobs, in the order asked for, through one child.</summary>
    /// <param name="ids">Their ids.</param>
    /// <param name="mostBytes">A larger one is skipped: it takes no memory.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="TransientException">Git cannot be run, or failed.</exception>
    public async IAsyncEnumerable<ReadBlob> ReadAsync(IReadOnlyList<string> ids, int mostBytes, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(ids);
        if (ids.Count == 0) yield break;
        await using var child = git.Start(path, ["cat-file", "--batch", "--buffer"]);
        var feeding = FeedAsync(child, ids, cancellationToken);
        var reader = new BlobReader(child.Output);
        for (var i = 0; i < ids.Count; i++) yield return new ReadBlob(i, await reader.NextAsync(ids[i], mostBytes, cancellationToken).ConfigureAwait(false));
        await feeding.ConfigureAwait(false);
        var (exitCode, errors) = await child.EndAsync(cancellationToken).ConfigureAwait(false);
        if (exitCode != 0) throw new TransientException("git-away", $"git cat-file ended with {exitCode}: {errors}");
    }

    // The reader takes what comes meanwhile, so neither pipe can fill up for good.
    private static async Task FeedAsync(GitChild child, IReadOnlyList<string> ids, CancellationToken cancellationToken)
    {
        const int atATime = 1000;
        var text = new StringBuilder(atATime * 41);
        try
        {
            for (var i = 0; i < ids.Count; i++)
            {
                text.Append(ids[i]).Append('\n');
                if (i + 1 < ids.Count && (i + 1) % atATime != 0) continue;
                await child.Input.WriteAsync(Encoding.ASCII.GetBytes(text.ToString()), cancellationToken).ConfigureAwait(false);
                text.Clear();
            }
        }
        catch (IOException)
        {
            // Git has ended before its time: the reader finds that out.
        }

        child.CloseInput();
    }

    private async Task RepackIfDueAsync(WriterLock held, CancellationToken cancellationToken)
    {
        var packs = Path.Combine(path, "objects", "pack");
        if (!Directory.Exists(packs) || Directory.GetFiles(packs, "*.pack").Length < PacksBeforeRepack) return;
        var result = await git.RunWriterAsync(path, ["repack", "-d", "-n", "--geometric=2", "-q"], held, Short, cancellationToken).ConfigureAwait(false);
        if (result.ExitCode != 0) throw new TransientException("git-away", $"git repack ended with {result.ExitCode}: {result.Errors}");
    }

    private async Task<string[]> ListAsync(IReadOnlyList<string> arguments, CancellationToken cancellationToken)
    {
        var result = await git.RunAsync(path, arguments, default, Short, cancellationToken).ConfigureAwait(false);
        if (result.ExitCode != 0) throw new TransientException("git-away", $"git {arguments[0]} ended with {result.ExitCode}: {result.Errors}");
        return Encoding.UTF8.GetString(result.Output).Split('\0', StringSplitOptions.RemoveEmptyEntries);
    }

    // Neither a link nor another repository is an index file.
    private static bool IsFile(string mode) => mode is "100644" or "100755" or "100664";

    /// <summary>Takes the answers of <c>cat-file --batch</c> apart: <c>id type size\n</c>, the bytes, <c>\n</c>.</summary>
    private sealed class BlobReader(Stream output)
    {
        private readonly byte[] _buffer = new byte[1 << 16];
        private int _start;
        private int _end;

        public async ValueTask<byte[]?> NextAsync(string id, int mostBytes, CancellationToken cancellationToken)
        {
            var size = await HeadAsync(id, cancellationToken).ConfigureAwait(false);
            if (size is not { } length) return null;
            byte[]? bytes = length <= mostBytes ? new byte[length] : null;
            var at = 0L;
            while (at < length)
            {
                if (_start == _end) await FillAsync(cancellationToken).ConfigureAwait(false);
                var take = (int)Math.Min(_end - _start, length - at);
                if (bytes is not null) _buffer.AsSpan(_start, take).CopyTo(bytes.AsSpan((int)at));
                (_start, at) = (_start + take, at + take);
            }

            if (_start == _end) await FillAsync(cancellationToken).ConfigureAwait(false);
            if (_buffer[_start++] != '\n') throw Broken();
            return bytes;
        }

        private async ValueTask<long?> HeadAsync(string id, CancellationToken cancellationToken)
        {
            int length;
            while ((length = _buffer.AsSpan(_start, _end - _start).IndexOf((byte)'\n')) < 0) await FillAsync(cancellationToken).ConfigureAwait(false);
            var head = Encoding.ASCII.GetString(_buffer, _start, length);
            _start += length + 1;
            if (head == id + " missing") return null;
            return head.Split(' ') is [var named, "blob", var size] && named == id && long.TryParse(size, out var bytes) ? bytes : throw Broken();
        }

        private async ValueTask FillAsync(CancellationToken cancellationToken)
        {
            if (_start == _end) _start = _end = 0;
            else if (_start > 0)
            {
                _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
                (_start, _end) = (0, _end - _start);
            }

            if (_end == _buffer.Length) throw Broken();
            var read = await output.ReadAsync(_buffer.AsMemory(_end), cancellationToken).ConfigureAwait(false);
            if (read == 0) throw new TransientException("git-away", "git cat-file ended before it had answered");
            _end += read;
        }

        private static TransientException Broken() => new("git-away", "git cat-file answered something else than was asked");
    }
}
