using System.Diagnostics;
using System.Globalization;

namespace Pipeline.Tests.Chaos.Shapes;

/// <summary>A file system of its own, in memory, that can be filled to the last byte. Mounting takes a root user.</summary>
internal sealed class SmallDisk : IAsyncDisposable
{
    private readonly string _ballast;

    private SmallDisk(string path)
    {
        Path = path;
        _ballast = System.IO.Path.Combine(path, ".ballast");
    }

    /// <summary>Where it is mounted.</summary>
    public string Path { get; }

    /// <summary>Mounts one.</summary>
    public static async Task<SmallDisk> MountAsync(string path, int megabytes)
    {
        Directory.CreateDirectory(path);
        await RunAsync("mount", "-t", "tmpfs", "-o", string.Create(CultureInfo.InvariantCulture, $"size={megabytes}m,mode=0700"), "tmpfs", path);
        return new SmallDisk(path);
    }

    /// <summary>Takes every free byte, again and again until it is told to end, and gives them back.</summary>
    public async Task FillAsync(CancellationToken over)
    {
        try
        {
            await using var file = new FileStream(_ballast, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
            var chunk = new byte[1 << 20];
            while (!over.IsCancellationRequested)
            {
                // What was freed meanwhile is taken too: by the megabyte, then by the page.
                Take(file, chunk);
                Take(file, chunk.AsSpan(0, 4096));
                await Task.Delay(20, CancellationToken.None);
            }
        }
        finally
        {
            File.Delete(_ballast);
        }
    }

    /// <summary>Lets nobody write, as a disk that has failed.</summary>
    public async Task LockAsync()
    {
        while (true)
        {
            try
            {
                await RunAsync("mount", "-o", "remount,ro", Path);
                return;
            }
            catch (InvalidOperationException e) when (e.Message.Contains("busy", StringComparison.Ordinal))
            {
                // A file is open for writing at this very moment.
                await Task.Delay(1);
            }
        }
    }

    /// <summary>Lets everybody write again.</summary>
    public Task UnlockAsync() => RunAsync("mount", "-o", "remount,rw", Path);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() => await RunAsync("umount", "-l", Path);

    private static void Take(FileStream file, ReadOnlySpan<byte> chunk)
    {
        try
        {
            while (true) file.Write(chunk);
        }
        catch (IOException)
        {
            // Full: that is what it is for.
        }
    }

    private static async Task RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        var error = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        if (process.ExitCode != 0) throw new InvalidOperationException($"{program} {string.Join(' ', arguments)}: {error.Trim()}");
    }
}
