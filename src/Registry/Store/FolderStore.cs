using System.Buffers;
using System.ComponentModel;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Pipeline.Contracts;
using Pipeline.Registry.Failures;
using Pipeline.Registry.Posix;

namespace Pipeline.Registry.Store;

/// <summary>
/// Objects as files below one folder. A file appears under its name only when it is whole and on disk: it is written elsewhere,
/// synced, then linked (create-only) or renamed (replace), and its folder is synced. A disk in trouble is an outage of the store: what it held up
/// is tried again.
/// </summary>
public sealed class FolderStore : IObjectStore
{
    private const string Unfinished = ".unfinished";
    private const string Rebuilt = ".rebuilt";
    private const int Full = 28;
    private const int OverQuota = 122;
    private const int LastErrorNumber = 133;
    private const int LargestBuffer = 128 * 1024;
    private const int MostTries = 3;

    private static readonly TimeSpan UploadsEnd = TimeSpan.FromHours(1);
    private static readonly TimeSpan SyncEvery = TimeSpan.FromSeconds(0.5);

    private readonly string _root;
    private readonly string _unfinished;
    private readonly GroupSync _groups;
    private long _temporaries = Random.Shared.NextInt64();

    /// <summary>Uses a folder; what an earlier process left unfinished is removed.</summary>
    /// <param name="root">The folder.</param>
    /// <param name="syncEvery">The least time between two syncs of what is written unsynced; null: half a second.</param>
    public FolderStore(string root, TimeSpan? syncEvery = null)
    {
        _root = Path.GetFullPath(root);
        _groups = new GroupSync(() => OnDisk(() => Libc.SyncFileSystem(_root)), syncEvery ?? SyncEvery, TimeProvider.System);
        _unfinished = Path.Combine(_root, Unfinished);
        // Only what is old: on one machine several processes may share the folder, and another one's upload may be under way.
        var old = DateTime.UtcNow - UploadsEnd;
        foreach (var file in Directory.CreateDirectory(_unfinished).EnumerateFiles())
        {
            if (file.LastWriteTimeUtc < old) file.Delete();
        }
    }

    /// <inheritdoc/>
    public bool IsDurableAtOnce => false;

    /// <inheritdoc/>
    public async ValueTask SyncAsync(CancellationToken cancellationToken = default) => await _groups.WaitAsync().WaitAsync(cancellationToken).ConfigureAwait(false);

    /// <inheritdoc/>
    public ValueTask<bool> CreateUnsyncedAsync(string key, ReadOnlyMemory<byte> content, CancellationToken cancellationToken = default) =>
        ValueTask.FromResult(OnDisk(() => CreateUnsynced(key, content.Span)));

    /// <inheritdoc/>
    public ValueTask PutUnsyncedAsync(string key, ReadOnlyMemory<byte> content, CancellationToken cancellationToken = default)
    {
        OnDisk(() => PutUnsynced(key, content.Span));
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public ValueTask<bool> HoldsAsync(string key, ReadOnlyMemory<byte> content, CancellationToken cancellationToken = default)
    {
        // Most often there is no file yet, or one of another length: neither is opened.
        var path = PathOf(key);
        if (Libc.Identify(_root, Path.GetRelativePath(_root, path)) is not { } file || file.Length != content.Length) return ValueTask.FromResult(false);
        try
        {
            return ValueTask.FromResult(File.ReadAllBytes(path).AsSpan().SequenceEqual(content.Span));
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return ValueTask.FromResult(false);
        }
    }

    /// <inheritdoc/>
    public async ValueTask<bool> CreateAsync(string key, Stream content, long length, CancellationToken cancellationToken = default)
    {
        var temporary = await WriteAsync(content, length, cancellationToken).ConfigureAwait(false);
        try
        {
            return OnDisk(() => Link(temporary, key));
        }
        finally
        {
            OnDisk(() => File.Delete(temporary));
        }
    }

    /// <inheritdoc/>
    public async ValueTask PutAsync(string key, ReadOnlyMemory<byte> content, CancellationToken cancellationToken = default)
    {
        using var stream = new MemoryStream(content.ToArray(), writable: false);
        var temporary = await WriteAsync(stream, content.Length, cancellationToken).ConfigureAwait(false);
        OnDisk(() => Rename(temporary, key));
    }

    /// <inheritdoc/>
    public ValueTask<bool> PromoteAsync(StagedBytes staged, string key, bool replace, CancellationToken cancellationToken = default) =>
        ValueTask.FromResult(OnDisk(() => Promote(staged, key, replace)));

    /// <inheritdoc/>
    public ValueTask<StoredObject?> OpenAsync(string key, ByteRange? range, CancellationToken cancellationToken)
    {
        // A missing object is the rule for a new crate's index file, and an exception costs more than a look.
        if (!File.Exists(PathOf(key))) return ValueTask.FromResult<StoredObject?>(null);
        try
        {
            var file = new FileStream(PathOf(key), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0, FileOptions.SequentialScan);
            var identity = Libc.Identify(file.SafeFileHandle);
            var (offset, count) = range?.Within(identity.Length) ?? (0, identity.Length);
            file.Position = offset;
            var content = range is null ? (Stream)file : new LimitedStream(file, count);
            return ValueTask.FromResult<StoredObject?>(new StoredObject(content, identity.Length, ModifiedAt(identity), Identity(identity))
            {
                Offset = offset,
                Count = count,
            });
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return ValueTask.FromResult<StoredObject?>(null);
        }
    }

    /// <inheritdoc/>
    public ValueTask<ObjectIdentity?> IdentifyAsync(string key, CancellationToken cancellationToken = default) =>
        ValueTask.FromResult(Libc.Identify(_root, key.Contains("..", StringComparison.Ordinal) ? Path.GetRelativePath(_root, PathOf(key)) : key) is { } file
            ? Identity(file)
            : (ObjectIdentity?)null);

    /// <summary>Reads a small object at the price of a few system calls. False: it is not the one of this identity any more.</summary>
    /// <param name="key">Its key.</param>
    /// <param name="identity">What it was when it was opened.</param>
    /// <param name="target">Where its bytes go: as many as it had.</param>
    public bool TryRead(string key, ObjectIdentity identity, Span<byte> target) =>
        !key.Contains("..", StringComparison.Ordinal) && Libc.Read(_root, key, target) is { } file && Identity(file) == identity;

    /// <inheritdoc/>
    public ValueTask ProbeAsync(CancellationToken cancellationToken = default) =>
        Directory.Exists(_unfinished) ? ValueTask.CompletedTask : throw new TransientException("store-away", "the object store's folder is gone");

    /// <inheritdoc/>
    public ValueTask DeleteAsync(string key, CancellationToken cancellationToken = default)
    {
        // Not synced: an object that a crash brings back is found by upkeep, and nothing names it.
        var path = PathOf(key);
        OnDisk(() =>
        {
            if (File.Exists(path)) File.Delete(path);
        });
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public FolderStore Folders => this;

    /// <summary>
    /// Begins to make a folder of objects anew, beside the one that is read and written: an empty folder on the same file system. What an
    /// earlier attempt left there is removed.
    /// </summary>
    /// <returns>Its path; the caller writes files there, unsynced.</returns>
    public string BeginFolder(string folder)
    {
        var path = Path.Combine(_root, Rebuilt, folder);
        if (Directory.Exists(path)) Directory.Delete(path, recursive: true);
        Directory.CreateDirectory(path);
        return path;
    }

    /// <summary>The folder itself, for who compares what is in it.</summary>
    public string PathOfFolder(string folder) => PathOf(folder);

    /// <summary>
    /// Puts what was made anew in place: all of it durable by one sync, then both folders change places. A writer at work meanwhile may have
    /// written into the one that went: its caller sees to that. Afterwards <see cref="EndFolder"/> removes the old one.
    /// </summary>
    public void SwapFolder(string folder)
    {
        var (fresh, path) = (Path.Combine(_root, Rebuilt, folder), PathOf(folder));
        MakeFolder(path);
        Libc.SyncFileSystem(fresh);
        Libc.Swap(fresh, path);
        Libc.SyncFolder(_root);
        Libc.SyncFolder(Path.Combine(_root, Rebuilt));
    }

    /// <summary>Removes what was swapped out, or given up.</summary>
    public void EndFolder(string folder)
    {
        var path = Path.Combine(_root, Rebuilt, folder);
        if (Directory.Exists(path)) Directory.Delete(path, recursive: true);
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<ObjectEntry> ListAsync(string folder, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await Task.CompletedTask.ConfigureAwait(false);
        var top = new DirectoryInfo(PathOf(folder));
        if (!top.Exists) yield break;
        foreach (var file in top.EnumerateFiles("*", SearchOption.AllDirectories))
        {
            cancellationToken.ThrowIfCancellationRequested();
            var key = Path.GetRelativePath(_root, file.FullName);
            // Asked of the file itself: one that was removed since the folder was read is no object, and the framework would throw or say 1601.
            if (Libc.Identify(_root, key) is { } found) yield return new ObjectEntry(key, found.Length, ModifiedAt(found));
        }
    }

    /// <summary>The file of a key. Keys are made by this program from checked names; one that leaves the folder is a bug.</summary>
    private string PathOf(string key)
    {
        var path = Path.GetFullPath(Path.Combine(_root, key));
        return path.StartsWith(_root + "/", StringComparison.Ordinal) ? path : throw new ArgumentException($"the key {key} leaves the store", nameof(key));
    }

    private static DateTimeOffset ModifiedAt(FileIdentity file) => DateTimeOffset.UnixEpoch.AddTicks(file.ModifiedAt / TimeSpan.NanosecondsPerTick);

    private static ObjectIdentity Identity(FileIdentity file) => new(file.Length, file.ModifiedAt, file.ChangedAt, file.Inode);

    private static bool Holds(string path, StagedBytes expected)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0, FileOptions.SequentialScan);
        if (file.Length != expected.Length) return false;
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = ArrayPool<byte>.Shared.Rent((int)Math.Min(Math.Max(expected.Length, 1), LargestBuffer));
        while (file.Read(buffer) is > 0 and var read) hash.AppendData(buffer, 0, read);
        ArrayPool<byte>.Shared.Return(buffer);
        return Checksum.FromBytes(hash.GetHashAndReset()) == expected.Checksum;
    }

    private bool Promote(StagedBytes staged, string key, bool replace)
    {
        if (staged.Content is { } content) return Promote(staged, content.Span, key, replace);
        var path = PathOf(staged.Key);
        if (!File.Exists(path)) throw new FileNotFoundException($"no object {staged.Key}");
        if (!Holds(path, staged)) throw new InvalidDataException($"the bytes at {staged.Key} are not the ones received");
        if (!replace) return LinkUnsynced(path, PathOf(key)) || Holds(PathOf(key), staged);
        var temporary = NewTemporary();
        Libc.HardLink(path, temporary);
        RenameUnsynced(temporary, PathOf(key));
        return true;
    }

    private bool Promote(StagedBytes staged, ReadOnlySpan<byte> content, string key, bool replace)
    {
        if (content.Length != staged.Length || Checksum.OfContent(content) != staged.Checksum) throw new InvalidDataException($"the parked bytes for {key} are not the ones received");
        if (!replace) return CreateUnsynced(key, content) || Holds(PathOf(key), staged);
        PutUnsynced(key, content);
        return true;
    }

    private bool CreateUnsynced(string key, ReadOnlySpan<byte> content)
    {
        var temporary = WriteTemporary(content);
        try
        {
            return LinkUnsynced(temporary, PathOf(key));
        }
        finally
        {
            Libc.Unlink(temporary);
        }
    }

    private void PutUnsynced(string key, ReadOnlySpan<byte> content)
    {
        var temporary = WriteTemporary(content);
        try
        {
            RenameUnsynced(temporary, PathOf(key));
        }
        catch
        {
            Libc.Unlink(temporary);
            throw;
        }
    }

    private string WriteTemporary(ReadOnlySpan<byte> content)
    {
        var temporary = NewTemporary();
        try
        {
            Libc.WriteNewFile(temporary, content);
            return temporary;
        }
        catch
        {
            Libc.Unlink(temporary);
            throw;
        }
    }

    private static bool LinkUnsynced(string existing, string path)
    {
        // The folder is there already but for a crate's first file.
        if (Libc.TryHardLink(existing, path) is { } linked) return linked;
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        return Libc.HardLink(existing, path);
    }

    private static void RenameUnsynced(string temporary, string path)
    {
        for (var tries = 1; !Libc.TryRename(temporary, path); tries++)
        {
            // Without its folder: that is not made yet, or was swapped for one made anew, which has no such folder yet. If the file moved along
            // with the swap, it is the swapper's to make up for.
            if (tries == MostTries) throw new IOException($"cannot rename to {path}");
            if (!File.Exists(temporary)) return;
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        }
    }

    private string NewTemporary() =>
        Path.Combine(_unfinished, string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{Environment.ProcessId}.{Interlocked.Increment(ref _temporaries):x16}"));

    private async ValueTask<string> WriteAsync(Stream content, long length, CancellationToken cancellationToken)
    {
        var temporary = NewTemporary();
        try
        {
            var file = OnDisk(() => new FileStream(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0));
            await using (file.ConfigureAwait(false))
            {
                await CopyAsync(content, file, length, cancellationToken).ConfigureAwait(false);
                OnDisk(() => file.Flush(flushToDisk: true));
            }

            return temporary;
        }
        catch
        {
            OnDisk(() => File.Delete(temporary));
            throw;
        }
    }

    private static async ValueTask CopyAsync(Stream content, FileStream file, long length, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent((int)Math.Min(Math.Max(length, 1), LargestBuffer));
        try
        {
            while (length > 0)
            {
                var read = await content.ReadAsync(buffer.AsMemory(0, (int)Math.Min(buffer.Length, length)), cancellationToken).ConfigureAwait(false);
                if (read == 0) throw new EndOfStreamException();
                OnDisk(() => file.Write(buffer, 0, read));
                length -= read;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Works on the disk. One that is full, read-only, failing or closed to us is an outage, whatever call it shows in.</summary>
    private static T OnDisk<T>(Func<T> work)
    {
        try
        {
            return work();
        }
        catch (Exception e) when (e is UnauthorizedAccessException or IOException and not FileNotFoundException)
        {
            // The path in the framework's text is nobody's business outside.
            var number = e.InnerException is Win32Exception inner ? inner.NativeErrorCode : e.HResult & 0xFFFF;
            throw number is Full or OverQuota
                ? new TransientException("store-full", "the object store is full", e)
                : new TransientException("store-away", $"the object store cannot be used ({(number <= LastErrorNumber ? new Win32Exception(number).Message : e.GetType().Name)})", e);
        }
    }

    private static void OnDisk(Action work) => OnDisk(() =>
    {
        work();
        return true;
    });

    private bool Link(string existing, string key)
    {
        var path = PathOf(key);
        var folder = Path.GetDirectoryName(path)!;
        MakeFolder(folder);
        if (!Libc.HardLink(existing, path)) return false;
        Libc.SyncFolder(folder);
        return true;
    }

    private void Rename(string temporary, string key)
    {
        var path = PathOf(key);
        var folder = Path.GetDirectoryName(path)!;
        for (var tries = 1; ; tries++)
        {
            MakeFolder(folder);
            try
            {
                File.Move(temporary, path, overwrite: true);
                Libc.SyncFolder(folder);
                return;
            }
            catch (IOException) when (tries < MostTries && !Directory.Exists(folder))
            {
                // The folder was swapped for one made anew, which has no such folder yet. If the file moved along, it is the swapper's to make up for.
                if (!File.Exists(temporary)) return;
            }
        }
    }

    /// <summary>Makes a folder and what it lacks above it, and makes their names durable. As deep as a key, no deeper: the root is there.</summary>
    private static void MakeFolder(string folder)
    {
        if (Directory.Exists(folder)) return;
        var parent = Path.GetDirectoryName(folder)!;
        MakeFolder(parent);
        Directory.CreateDirectory(folder);
        // Only a folder that gained a name is synced: each sync is a write to the disk, and this is on every new crate's way.
        Libc.SyncFolder(parent);
    }
}
