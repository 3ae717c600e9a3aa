namespace Pipeline.Tests.Cargo;

/// <summary>Where cargo is: on the path, where rustup puts it, or from Debian's <c>cargo-web</c>. Without it the tests fail: they are what it is for.</summary>
internal static class CargoProgram
{
    private static readonly Lazy<string> Found = new(Find);

    /// <summary>The program.</summary>
    /// <exception cref="FileNotFoundException">This machine has none.</exception>
    public static string File => Found.Value;

    private static string Find()
    {
        var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        string[] folders = [.. (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries), Path.Combine(home, ".cargo/bin"), "/usr/bin"];
        return folders.Select(folder => Path.Combine(folder, "cargo")).FirstOrDefault(System.IO.File.Exists)
            ?? throw new FileNotFoundException("cargo is missing: install Rust, or Debian's package cargo-web");
    }
}
