using System.Runtime.InteropServices;

namespace Pipeline.Registry.Posix;

/// <summary>The memory of native libraries, which the collector knows nothing of.</summary>
public static partial class SystemMemory
{
    private static bool s_isMissing;

    /// <summary>Gives what they have freed back to the system.</summary>
    public static void Return()
    {
        if (s_isMissing) return;
        try
        {
            _ = malloc_trim(0);
        }
        catch (EntryPointNotFoundException)
        {
            // Another C library than glibc: it keeps less to begin with.
            s_isMissing = true;
        }
    }

#pragma warning disable IDE1006 // the C library's own name
    [LibraryImport("libc")]
    private static partial int malloc_trim(nuint pad);
#pragma warning restore IDE1006
}
