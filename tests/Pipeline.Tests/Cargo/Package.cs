namespace Pipeline.Tests.Cargo;

/// <summary>A package on disk.</summary>
public sealed class Package
{
    private readonly List<string> _dependencies = [];
    private string _metadata = "description = \"made for a test\"\nlicense = \"MIT\"\n";

    /// <summary>Writes an empty library.</summary>
    public Package(string folder, string name, string version)
    {
        (Folder, Name, Version) = (folder, name, version);
        Directory.CreateDirectory(Path.Combine(folder, "src"));
        Write("src/lib.rs", "");
        WriteManifest();
    }

    /// <summary>Its folder.</summary>
    public string Folder { get; }

    /// <summary>The crate's name.</summary>
    public string Name { get; }

    /// <summary>The crate's version.</summary>
    public string Version { get; private set; }

    /// <summary>What cargo calls its .crate.</summary>
    public string FileName => $"{Name}-{Version}.crate";

    /// <summary>What the lock file says.</summary>
    public string Lock => File.ReadAllText(Path.Combine(Folder, "Cargo.lock"));

    /// <summary>Writes a file.</summary>
    public Package Write(string path, string content)
    {
        File.WriteAllText(Path.Combine(Folder, path), content);
        return this;
    }

    /// <summary>Adds a dependency: a line of <c>[dependencies]</c>.</summary>
    public Package DependsOn(string line)
    {
        _dependencies.Add(line);
        return WriteManifest();
    }

    /// <summary>Sets the members of <c>[package]</c> beside name, version and edition.</summary>
    public Package Describe(string metadata)
    {
        _metadata = metadata;
        return WriteManifest();
    }

    /// <summary>Goes to another version.</summary>
    public Package Bump(string version)
    {
        Version = version;
        return WriteManifest();
    }

    private Package WriteManifest() => Write(
        "Cargo.toml",
        $"[package]\nname = \"{Name}\"\nversion = \"{Version}\"\nedition = \"2021\"\n{_metadata}\n[dependencies]\n{string.Join('\n', _dependencies)}\n");
}
