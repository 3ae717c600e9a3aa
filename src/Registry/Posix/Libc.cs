using System.ComponentModel;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Pipeline.Registry.Posix;

/// <summary>The few system calls that .NET does not offer.</summary>
internal static partial class Libc
{
    private const int ReadOnly = 0;
    private const int ReadWriteCreate = 0x42;     // O_RDWR | O_CREAT
    private const int WriteOnlyNew = 0xC1;        // O_WRONLY | O_CREAT | O_EXCL
    private const int NewFileMode = 0x1B6;        // rw-rw-rw-, less the process's mask
    private const int Interrupted = 4;            // EINTR
    private const int CloseOnExec = 0x80000;      // O_CLOEXEC
    private const int Directory = 0x10000;        // O_DIRECTORY
    private const int AlreadyExists = 17;         // EEXIST
    private const int WouldBlock = 11;            // EWOULDBLOCK
    private const int LockExclusiveNow = 2 | 4;   // LOCK_EX | LOCK_NB
    private const int SetDescriptorFlags = 2;     // F_SETFD

    private const int CurrentFolder = -100;       // AT_FDCWD
    private const int TheDescriptorItself = 0x1000; // AT_EMPTY_PATH
    private const int Exchange = 2;               // RENAME_EXCHANGE
    private const uint WantedStatus = 0x3C1;      // STATX_TYPE | MTIME | CTIME | INO | SIZE
    private const int TypeMask = 0xF000;          // S_IFMT
    private const int RegularFile = 0x8000;       // S_IFREG
    private const int NoEntry = 2;                // ENOENT
    private const int NotFolder = 20;             // ENOTDIR
    private const int MaxPath = 1024;
    private const long NanosecondsPerSecond = 1_000_000_000;

    /// <summary>Gives a file a second name. False: that name is taken.</summary>
    public static bool HardLink(string existing, string created)
    {
        if (link(existing, created) == 0) return true;
        var error = Marshal.GetLastPInvokeError();
        return error == AlreadyExists ? false : throw new IOException($"cannot link {created}", new Win32Exception(error));
    }

    /// <summary>Gives a file a second name. False: that name is taken. Null: its folder is not there.</summary>
    public static bool? TryHardLink(string existing, string created)
    {
        if (link(existing, created) == 0) return true;
        return Marshal.GetLastPInvokeError() switch
        {
            AlreadyExists => false,
            NoEntry => null,
            var error => throw new IOException($"cannot link {created}", new Win32Exception(error)),
        };
    }

    /// <summary>Renames a file, over another one if there is one. False: the file, or the folder it is to go to, is not there.</summary>
    public static bool TryRename(string existing, string renamed)
    {
        if (rename(existing, renamed) == 0) return true;
        var error = Marshal.GetLastPInvokeError();
        return error == NoEntry ? false : throw new IOException($"cannot rename to {renamed}", new Win32Exception(error));
    }

    /// <summary>Removes a file; none there is fine.</summary>
    public static void Unlink(string path)
    {
        if (unlink(path) == 0) return;
        var error = Marshal.GetLastPInvokeError();
        if (error != NoEntry) throw new IOException($"cannot remove {path}", new Win32Exception(error));
    }

    /// <summary>Writes a file that must not exist, without a sync: the framework's streams lock each file and ask for its size first.</summary>
    public static unsafe void WriteNewFile(string path, ReadOnlySpan<byte> content)
    {
        var descriptor = open(path, WriteOnlyNew | CloseOnExec, NewFileMode);
        if (descriptor < 0) throw new IOException($"cannot create {path}", new Win32Exception(Marshal.GetLastPInvokeError()));
        try
        {
            fixed (byte* start = content)
            {
                for (var written = 0; written < content.Length;)
                {
                    var count = write(descriptor, start + written, content.Length - written);
                    if (count >= 0) written += (int)count;
                    else if (Marshal.GetLastPInvokeError() is not Interrupted and var error) throw new IOException($"cannot write {path}", new Win32Exception(error));
                }
            }
        }
        finally
        {
            _ = close(descriptor);
        }
    }

    /// <summary>Makes the names in a folder durable: a new or renamed file is only safe once its folder is too.</summary>
    public static void SyncFolder(string path)
    {
        var descriptor = open(path, ReadOnly | Directory | CloseOnExec, 0);
        if (descriptor < 0) throw new IOException($"cannot open the folder {path}", new Win32Exception(Marshal.GetLastPInvokeError()));
        try
        {
            if (fsync(descriptor) != 0) throw new IOException($"cannot sync the folder {path}", new Win32Exception(Marshal.GetLastPInvokeError()));
        }
        finally
        {
            _ = close(descriptor);
        }
    }

    /// <summary>Makes everything on a folder's file system durable: many files at the price of one wait.</summary>
    public static void SyncFileSystem(string folder)
    {
        var descriptor = open(folder, ReadOnly | Directory | CloseOnExec, 0);
        if (descriptor < 0) throw new IOException($"cannot open the folder {folder}", new Win32Exception(Marshal.GetLastPInvokeError()));
        try
        {
            if (syncfs(descriptor) != 0) throw new IOException($"cannot sync the file system of {folder}", new Win32Exception(Marshal.GetLastPInvokeError()));
        }
        finally
        {
            _ = close(descriptor);
        }
    }

    /// <summary>Lets two folders of one file system change places: at no moment is either name without one.</summary>
    public static void Swap(string one, string other)
    {
        if (renameat2(CurrentFolder, one, CurrentFolder, other, Exchange) != 0)
            throw new IOException($"cannot swap {one} and {other}", new Win32Exception(Marshal.GetLastPInvokeError()));
    }

    /// <summary>What tells a file's content from any other that was ever under its name; null when there is no such file.</summary>
    public static unsafe FileIdentity? Identify(string folder, string path)
    {
        Span<byte> name = stackalloc byte[MaxPath];
        FileStatus status;
        fixed (byte* start = Name(folder, path, name))
        {
            if (statx(CurrentFolder, start, 0, WantedStatus, &status) == 0)
                return (status.Mode & TypeMask) == RegularFile ? new FileIdentity(status.Size, status.ModifiedAt, status.ChangedAt, status.Inode) : null;
        }

        var error = Marshal.GetLastSystemError();
        return error is NoEntry or NotFolder ? null : throw new IOException($"cannot look at {folder}/{path}", new Win32Exception(error));
    }

    /// <summary>Reads a file whole, in as few calls as can be; null when there is none, or it does not fit.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="path">The file below it.</param>
    /// <param name="target">Where its bytes go.</param>
    public static unsafe FileIdentity? Read(string folder, string path, Span<byte> target)
    {
        Span<byte> name = stackalloc byte[MaxPath];
        int descriptor;
        fixed (byte* start = Name(folder, path, name)) descriptor = open(start, ReadOnly | CloseOnExec, 0);
        if (descriptor < 0) return null;
        try
        {
            FileStatus status;
            byte nothing = 0;
            if (statx(descriptor, &nothing, TheDescriptorItself, WantedStatus, &status) != 0 || status.Size > target.Length) return null;
            long read = 0;
            fixed (byte* start = target)
            {
                while (read < status.Size)
                {
                    if (Libc.read(descriptor, start + read, (nint)(status.Size - read)) is > 0 and var count) read += count;
                    else return null;
                }
            }

            return new FileIdentity(status.Size, status.ModifiedAt, status.ChangedAt, status.Inode);
        }
        finally
        {
            _ = close(descriptor);
        }
    }

    /// <summary>The same of an open file: of the very content that is read from it, whatever has the name by now.</summary>
    public static unsafe FileIdentity Identify(SafeFileHandle file)
    {
        FileStatus status;
        byte nothing = 0;
        if (statx((int)file.DangerousGetHandle(), &nothing, TheDescriptorItself, WantedStatus, &status) != 0)
            throw new IOException("cannot look at an open file", new Win32Exception(Marshal.GetLastSystemError()));
        GC.KeepAlive(file);
        return new FileIdentity(status.Size, status.ModifiedAt, status.ChangedAt, status.Inode);
    }

    /// <summary>Opens (creates) a lock file and takes its exclusive lock without waiting. Null: somebody holds it.</summary>
    public static int? TryLock(string path)
    {
        var descriptor = open(path, ReadWriteCreate | CloseOnExec, 0x180);
        if (descriptor < 0) throw new IOException($"cannot open the lock {path}", new Win32Exception(Marshal.GetLastPInvokeError()));
        if (flock(descriptor, LockExclusiveNow) == 0) return descriptor;
        var error = Marshal.GetLastPInvokeError();
        _ = close(descriptor);
        return error == WouldBlock ? null : throw new IOException($"cannot lock {path}", new Win32Exception(error));
    }

    /// <summary>Says whether children started from now on inherit the descriptor.</summary>
    public static void SetInherited(int descriptor, bool inherited)
    {
        if (fcntl(descriptor, SetDescriptorFlags, inherited ? 0 : 1) != 0) throw new IOException("cannot change a descriptor", new Win32Exception(Marshal.GetLastPInvokeError()));
    }

    /// <summary>Closes a descriptor.</summary>
    public static void Close(int descriptor) => _ = close(descriptor);

    /// <summary>Ends this very process as SIGKILL does: no finaliser, no flush, no exit handler.</summary>
    public static void KillSelf() => _ = kill(Environment.ProcessId, 9);

    /// <summary>Ends every process of a group as SIGKILL does.</summary>
    public static void KillGroup(int leader) => _ = kill(-leader, 9);

    /// <summary>A path as the system takes it. It is put together without a string, since this is done for each file that is served.</summary>
    private static Span<byte> Name(string folder, string path, Span<byte> name)
    {
        if (!Encoding.UTF8.TryGetBytes(folder, name[..^2], out var length)) throw new PathTooLongException(folder);
        name[length++] = (byte)'/';
        if (!Encoding.UTF8.TryGetBytes(path, name[length..^1], out var rest)) throw new PathTooLongException(path);
        name[length + rest] = 0;
        return name;
    }

#pragma warning disable IDE1006 // the names are the C library's
    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int link(string existing, string created);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int rename(string existing, string renamed);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int unlink(string path);

    [LibraryImport("libc", SetLastError = true)]
    private static unsafe partial nint write(int descriptor, byte* bytes, nint count);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int open(string path, int flags, int mode);

    [LibraryImport("libc")]
    private static unsafe partial int open(byte* path, int flags, int mode);

    [LibraryImport("libc")]
    private static unsafe partial nint read(int descriptor, byte* target, nint count);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fsync(int descriptor);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int syncfs(int descriptor);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int renameat2(int oneFolder, string one, int otherFolder, string other, uint flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int flock(int descriptor, int operation);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fcntl(int descriptor, int command, int argument);

    [LibraryImport("libc")]
    private static unsafe partial int statx(int folder, byte* path, int flags, uint mask, FileStatus* status);

    [LibraryImport("libc")]
    private static partial int close(int descriptor);

    [LibraryImport("libc")]
    private static partial int kill(int process, int signal);
#pragma warning restore IDE1006

    // struct statx, the same on every architecture (linux/stat.h).
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    private struct FileStatus
    {
        [FieldOffset(28)]
        public ushort Mode;

        [FieldOffset(32)]
        public ulong Inode;

        [FieldOffset(40)]
        public long Size;

        [FieldOffset(96)]
        public long ChangedSeconds;

        [FieldOffset(104)]
        public uint ChangedNanoseconds;

        [FieldOffset(112)]
        public long ModifiedSeconds;

        [FieldOffset(120)]
        public uint ModifiedNanoseconds;

        public readonly long ChangedAt => (ChangedSeconds * NanosecondsPerSecond) + ChangedNanoseconds;

        public readonly long ModifiedAt => (ModifiedSeconds * NanosecondsPerSecond) + ModifiedNanoseconds;
    }
}

/// <summary>A file's identity.</summary>
/// <param name="Length">Its bytes.</param>
/// <param name="ModifiedAt">When its content was written, in nanoseconds.</param>
/// <param name="ChangedAt">When its entry was changed, in nanoseconds.</param>
/// <param name="Inode">Its number: a file renamed over another has a new one.</param>
internal readonly record struct FileIdentity(long Length, long ModifiedAt, long ChangedAt, ulong Inode);
