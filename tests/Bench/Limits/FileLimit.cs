using System.Runtime.InteropServices;
using Pipeline.Bench.Measuring;

namespace Pipeline.Bench.Limits;

/// <summary>
/// Limit: the files that a publish leaves on disk for good, each written, synced and named with nothing around it: staged bytes, their second
/// name, the record, the index file; and the folders that carry the names.
/// </summary>
internal static partial class FileLimit
{
    private const int ReadOnlyFolder = 0x90000; // O_RDONLY | O_DIRECTORY | O_CLOEXEC
    private const int RecordBytes = 1300;
    private const int LineBytes = 400;

    /// <summary>The CPU per publish, in milliseconds.</summary>
    public static double Measure(IReadOnlyList<byte[]> archives)
    {
        var root = RepositoryRoot.NewFolder("files");
        try
        {
            foreach (var folder in (string[])["temporary", "staging", "crates", "index"]) Directory.CreateDirectory(Path.Combine(root, folder));
            for (var i = 0; i < 200; i++) Publish(root, i, archives[i % archives.Count]);
            var before = ProcessCpu.Own.Seconds();
            for (var i = 0; i < archives.Count; i++) Publish(root, 200 + i, archives[i]);
            return (ProcessCpu.Own.Seconds() - before) * 1000 / archives.Count;
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }

    private static void Publish(string root, int number, byte[] archive)
    {
        var crates = $"{root}/crates";
        var crate = $"{crates}/{number}";
        var staged = $"{root}/staging/{number}";
        var temporary = $"{root}/temporary/{number}";
        Write(temporary, archive);
        Link(temporary, staged);
        SyncFolder($"{root}/staging");
        File.Delete(temporary);

        Directory.CreateDirectory(crate);
        SyncFolder(crates);
        Link(staged, $"{crate}/crate");
        SyncFolder(crate);

        Write(temporary, new byte[RecordBytes]);
        Link(temporary, $"{crate}/record");
        SyncFolder(crate);
        File.Delete(temporary);

        Write(temporary, new byte[LineBytes]);
        File.Move(temporary, $"{root}/index/{number}");
        SyncFolder($"{root}/index");
        File.Delete(staged);
    }

    private static void Write(string path, byte[] content)
    {
        using var file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write, FileShare.None);
        RandomAccess.Write(file, content, 0);
        RandomAccess.FlushToDisk(file);
    }

    private static void Link(string existing, string created)
    {
        if (link(existing, created) != 0) throw new IOException($"cannot link {created}");
    }

    private static void SyncFolder(string path)
    {
        var descriptor = open(path, ReadOnlyFolder, 0);
        if (descriptor < 0 || fsync(descriptor) != 0) throw new IOException($"cannot sync {path}");
        _ = close(descriptor);
    }

#pragma warning disable IDE1006 // the names are the C library's
    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int link(string existing, string created);

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int open(string path, int flags, int mode);

    [LibraryImport("libc")]
    private static partial int fsync(int descriptor);

    [LibraryImport("libc")]
    private static partial int close(int descriptor);
#pragma warning restore IDE1006
}
