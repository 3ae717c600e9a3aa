using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Pipeline.Registry.Posix;

/// <summary>The few system calls that .NET does not offer.</summary>
internal static partial class Libc
{
    private const int ReadOnly = 0;
    private const int ReadWriteCreate = 0x42;     // O_RDWR | O_CREAT
    private const int CloseOnExec = 0x80000;      // O_CLOEXEC
    private const int Directory = 0x10000;        // O_DIRECTORY
    private const int AlreadyExists = 17;         // EEXIST
    private const int WouldBlock = 11;            // EWOULDBLOCK
    private const int LockExclusiveNow = 2 | 4;   // LOCK_EX | LOCK_NB
    private const int SetDescriptorFlags = 2;     // F_SETFD

    /// <summary>Gives a file a second name. False: that name is taken.</summary>
    public static bool HardLink(string existing, string created)
    {
        if (link(existing, created) == 0) return true;
        var error = Marshal.GetLastPInvokeError();
        return error == AlreadyExists ? false : throw new IOException($"cannot link {created}", new Win32Exception(error));
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

#pragma warning disable IDE1006 // the names are the C library's
    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int link(string existing, string created);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int open(string path, int flags, int mode);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fsync(int descriptor);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int flock(int descriptor, int operation);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fcntl(int descriptor, int command, int argument);

    [LibraryImport("libc")]
    private static partial int close(int descriptor);

    [LibraryImport("libc")]
    private static partial int kill(int process, int signal);
#pragma warning restore IDE1006
}
