using Pipeline.Registry.Posix;

namespace Pipeline.Registry.Store;

/// <summary>Gives a folder that was made beside its place its name.</summary>
public static class FinishedFolder
{
    /// <summary>Makes everything in it durable and then moves it. A folder that stands there must be empty.</summary>
    /// <param name="unfinished">The folder as it was made.</param>
    /// <param name="folder">Its name.</param>
    /// <exception cref="IOException">Something stands there.</exception>
    public static void Place(string unfinished, string folder)
    {
        Libc.SyncFileSystem(unfinished);
        if (Directory.Exists(folder)) Directory.Delete(folder);
        Directory.Move(unfinished, folder);
        Libc.SyncFolder(Path.GetDirectoryName(folder)!);
    }
}
