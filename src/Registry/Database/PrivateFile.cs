namespace Pipeline.Registry.Database;

/// <summary>Keeps a database file, and what SQLite puts beside it, to its owner: hashes of tokens and addresses of people are in it.</summary>
internal static class PrivateFile
{
    private const UnixFileMode Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>
    /// Makes the file if it is missing, and sets the mode of all that is there. It is never opened once it exists: closing it again would give
    /// up the locks that this process holds on it.
    /// </summary>
    public static void Ensure(string path)
    {
        if (!File.Exists(path)) Create(path);
        // SQLite gives the files beside it the mode of the database; these may be of before.
        foreach (var file in new[] { path, path + "-wal", path + "-shm", path + "-journal" })
        {
            if (File.Exists(file) && File.GetUnixFileMode(file) != Mode) File.SetUnixFileMode(file, Mode);
        }
    }

    private static void Create(string path)
    {
        try
        {
            new FileStream(path, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = Mode }).Dispose();
        }
        catch (IOException) when (File.Exists(path))
        {
            // Somebody else was faster.
        }
    }
}
