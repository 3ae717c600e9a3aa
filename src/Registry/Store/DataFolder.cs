using Pipeline.Registry.Posix;

namespace Pipeline.Registry.Store;

/// <summary>
/// The folder of this machine's part of the registry: the whole of it in the standalone shape, where one process at a time owns it, else what
/// the processes of a machine share. Its files are the owner's alone.
/// </summary>
public sealed class DataFolder : IDisposable
{
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private readonly int? _lock;

    private DataFolder(string path, int? @lock)
    {
        Path = path;
        _lock = @lock;
    }

    /// <summary>The folder.</summary>
    public string Path { get; }

    /// <summary>The database file.</summary>
    public string Database => Combine("registry.sqlite");

    /// <summary>The folder of the objects.</summary>
    public string Objects => Combine("objects");

    /// <summary>The bare repository of the git index.</summary>
    public string GitIndex => Combine("index.git");

    /// <summary>Where the command line finds the URL of the running instance.</summary>
    public string Url => Combine("url");

    /// <summary>Where it finds the administrator's token.</summary>
    public string AdminToken => Combine("admin-token");

    /// <summary>Creates the folder if need be and opens it.</summary>
    /// <param name="path">The folder.</param>
    /// <param name="alone">Whether it is for this process alone.</param>
    /// <exception cref="InvalidOperationException">Another process has it for itself, or others can read it and nothing can be done about that.</exception>
    public static DataFolder Open(string path, bool alone)
    {
        var full = System.IO.Path.GetFullPath(path);
        Directory.CreateDirectory(full, Private);
        MakePrivate(full);
        if (!alone) return new DataFolder(full, null);
        var descriptor = Libc.TryLock(System.IO.Path.Combine(full, "lock"))
            ?? throw new InvalidOperationException($"the data folder {full} is in use by another process");
        return new DataFolder(full, descriptor);
    }

    /// <summary>Whoever made the folder, with whatever mode: tokens, accounts and what nobody has accepted yet lie in it.</summary>
    private static void MakePrivate(string folder)
    {
        var mode = File.GetUnixFileMode(folder);
        if (mode == Private) return;
        // A folder for everybody, such as the system's for temporary files: others need it as it is.
        if (mode.HasFlag(UnixFileMode.StickyBit)) throw new InvalidOperationException($"Registry:Data: {folder} is a folder for everybody; name one of the registry's own");
        try
        {
            File.SetUnixFileMode(folder, Private);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InvalidOperationException($"Registry:Data: the folder {folder} is open to others, and its mode cannot be set to 700: {e.Message}", e);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_lock is { } descriptor) Libc.Close(descriptor);
    }

    private string Combine(string name) => System.IO.Path.Combine(Path, name);
}
