namespace Pipeline.Workers.Tarballs;

/// <summary>
/// Bounds that crates.io does not have and no real package comes near: they keep one reading below 16 MiB of memory
/// and its facts small enough for a database row, whatever the archive.
/// </summary>
internal static class TarballBounds
{
    /// <summary>Content of one GNU long name or pax header, bytes.</summary>
    public const int ExtensionBytes = 1024 * 1024;

    /// <summary>Content of all of them in one archive, bytes: they cost far more time per byte than contents that are passed over.</summary>
    public const int AllExtensionBytes = 32 * 1024 * 1024;

    /// <summary>Entries that are manifests at the root.</summary>
    public const int Manifests = 16;

    /// <summary>Content of all of them together, bytes.</summary>
    public const int ManifestBytes = 2 * 1024 * 1024;

    /// <summary>Content of <c>.cargo_vcs_info.json</c>, bytes; a larger one counts as unreadable.</summary>
    public const int VcsInfoBytes = 64 * 1024;

    /// <summary>Distinct paths kept for target inference.</summary>
    public const int SourceFiles = 20_000;

    /// <summary>Their names together, UTF-16 units.</summary>
    public const int SourceFileChars = 1024 * 1024;

    /// <summary>A longer file name is not kept for target inference: no file system can hold it.</summary>
    public const int SourceNameBytes = 1024;

    /// <summary>What is decoded of a path to be shown in a refusal, bytes; more than the refusal then quotes of it.</summary>
    public const int ShownPathBytes = 1024;
}
