namespace Pipeline.Registry.Store;

/// <summary>The tags (surrogate keys) that caches file objects under, so that a purge can name what it does not know the URLs of (crates-io-behaviour §4.5).</summary>
public static class CacheTags
{
    /// <summary>Everything of a crate.</summary>
    /// <param name="name">Its name in its stored case.</param>
    public static string Crate(string name) => $"crate:{name}";

    /// <summary>Everything of one version.</summary>
    /// <param name="name">The crate's name in its stored case.</param>
    /// <param name="version">The version, with its build metadata.</param>
    public static string Release(string name, string version) => $"release:{name}@{version}";

    /// <summary>A crate's sparse index file.</summary>
    /// <param name="name">The crate's name, as the last part of the file's path: in lower case.</param>
    public static string IndexFile(string name) => $"index:{name}";
}
